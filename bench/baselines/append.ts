/**
 * The least that makes a POST durable: parse the JSON body, append one record of 200 bytes, answer when an fdatasync has
 * covered it. Requests that arrive while one write and its fdatasync are under way go together in the next.
 */
import { fastify } from 'fastify';
import { GroupCommit } from './group-commit.js';

const log = new GroupCommit(process.env['FILE'] ?? '');
const server = fastify();
server.get('/', (_request, reply) => {
  void reply.send({ hello: 'world' });
});
server.route({
  method: ['POST', 'PUT'],
  url: '/append',
  handler: (request, reply) => {
    log.append(request.body, () => void reply.code(201).send({ stored: true }));
  },
});
await server.listen({ host: '127.0.0.1', port: Number(process.env['PORT']) });
