/**
 * Replication as it is usually begun: each write is made durable here and sent to every copy by a call of its own, and
 * answered when all of them have it. COPIES: addresses with commas between them.
 */
import { fastify } from 'fastify';
import { Pool } from 'undici';
import { GroupCommit } from './group-commit.js';

const CONNECTIONS = 50;

const copies = (process.env['COPIES'] ?? '').split(',').map((url) => new Pool(url, { connections: CONNECTIONS }));
const log = new GroupCommit(process.env['FILE'] ?? '');

async function send(copy: Pool, body: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await copy.request({ path: '/append', method: 'POST', headers, body });
  await answer.body.dump();
  if (answer.statusCode !== 200) throw new Error(`a copy answered ${answer.statusCode}`);
}

const server = fastify();
server.get('/', (_request, reply) => {
  void reply.send({ hello: 'world' });
});
server.post('/append', async (request, reply) => {
  await new Promise<void>((resolve) => {
    log.append(request.body, resolve);
  });
  const body = JSON.stringify(request.body);
  await Promise.all(copies.map((copy) => send(copy, body)));
  return reply.code(201).send({ stored: true });
});
await server.listen({ host: '127.0.0.1', port: Number(process.env['PORT']) });
