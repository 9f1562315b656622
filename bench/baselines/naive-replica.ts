/**
 * A copy that is told each write by a call of its own: append the body, answer when an fdatasync has covered it. What
 * arrives meanwhile goes together in the next, as in `append.ts`.
 */
import { fastify } from 'fastify';
import { GroupCommit } from './group-commit.js';

const log = new GroupCommit(process.env['FILE'] ?? '');
const server = fastify();
server.get('/', (_request, reply) => {
  void reply.send({ hello: 'world' });
});
server.post('/append', (request, reply) => {
  log.append(request.body, () => void reply.send({ stored: true }));
});
await server.listen({ host: '127.0.0.1', port: Number(process.env['PORT']) });
