import { logPositionText } from '../../kernel/index.js';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { whenCurrent } from '../../platform/http/index.js';
import { answerCustomer, answerCustomers } from '../../modules/customers/index.js';
import type { ReplicaDocuments, ReplicaShell } from '../../protocols/replication/index.js';

export interface CustomerReadsOptions {
  readonly documents: Pick<ReplicaDocuments, 'find' | 'page' | 'position'>;
  readonly shell: Pick<ReplicaShell, 'whenAt'>;
  readonly readWaitMs: number;
}

/** Serves this replica's customers; a read with `min_seq` waits until the replica holds that write. */
export function serveCustomerReads(server: FastifyInstance, options: CustomerReadsOptions): void {
  const { documents } = options;
  server.get('/customers', async (request, reply) => {
    await whenHere(request, reply, options);
    answerCustomers(documents, request.query, reply);
    return reply;
  });
  server.get<{ Params: { id: string } }>('/customers/:id', async (request, reply) => {
    const { id } = request.params;
    await whenHere(request, reply, options);
    answerCustomer(documents, id, request, reply);
    return reply;
  });
}

/** Reads directly after it resolves see what the header names. */
async function whenHere(
  request: FastifyRequest,
  reply: FastifyReply,
  { documents, shell, readWaitMs }: CustomerReadsOptions,
): Promise<void> {
  await whenCurrent(request, { whenAt: (commit) => shell.whenAt(commit, readWaitMs) });
  reply.header('x-replica-seq', logPositionText(documents.position));
}
