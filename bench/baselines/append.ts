/**
 * The least that makes a POST durable: parse the JSON body, append one record of 200 bytes, answer when an fdatasync has
 * covered it. Requests that arrive while one write and its fdatasync are under way go together in the next.
 */
import { fdatasync, openSync, write } from 'node:fs';
import { fastify } from 'fastify';

const RECORD_BYTES = 200;

interface Waiting {
  readonly record: string;
  readonly answer: () => void;
}

const file = openSync(process.env['FILE'] ?? '', 'a');
let queue: Waiting[] = [];
let isWriting = false;

function append(entry: Waiting): void {
  queue.push(entry);
  if (isWriting) return;
  isWriting = true;
  setImmediate(writeQueued);
}

function writeQueued(): void {
  const batch = queue;
  queue = [];
  const bytes = Buffer.from(batch.map(({ record }) => record).join(''), 'latin1');
  write(file, bytes, 0, bytes.length, null, (writeError, written) => {
    if (writeError ?? written < bytes.length) throw writeError ?? new Error('a short write');
    fdatasync(file, (syncError) => {
      if (syncError) throw syncError;
      for (const { answer } of batch) answer();
      if (queue.length > 0) writeQueued();
      else isWriting = false;
    });
  });
}

const server = fastify();
server.get('/', (_request, reply) => {
  void reply.send({ hello: 'world' });
});
server.route({
  method: ['POST', 'PUT'],
  url: '/append',
  handler: (request, reply) => {
    const record = JSON.stringify(request.body)
      .slice(0, RECORD_BYTES - 1)
      .padEnd(RECORD_BYTES - 1);
    append({ record: `${record}\n`, answer: () => void reply.code(201).send({ stored: true }) });
  },
});
await server.listen({ host: '127.0.0.1', port: Number(process.env['PORT']) });
