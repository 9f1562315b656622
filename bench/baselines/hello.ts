/** The least that Fastify does: one route, one small JSON answer. */
import { fastify } from 'fastify';

const server = fastify();
server.get('/', (_request, reply) => {
  void reply.send({ hello: 'world' });
});
await server.listen({ host: '127.0.0.1', port: Number(process.env['PORT']) });
