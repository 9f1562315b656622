import type { FastifyReply, FastifyRequest } from 'fastify';
import type { DocumentWritten } from '../../../../platform/documents/index.js';
import {
  type Answer,
  JSON_CONTENT_TYPE,
  nextPageLink,
  parseId,
  parsePage,
  sendResource,
  writtenAnswer,
} from '../../../../platform/http/index.js';
import { type CustomerDocuments, findCustomer, pageOfCustomers } from '../../customer-reads.js';

const PATH = '/customers';

/** Answers a finished write on a customer, the first time and at every replay. */
export function customerAnswer({ outcome, commit }: DocumentWritten): Answer {
  return writtenAnswer(outcome.change, PATH, outcome.document, commit);
}

/** `GET /customers`, on the app and on replicas. */
export function answerCustomers(documents: CustomerDocuments, query: unknown, reply: FastifyReply): void {
  const page = parsePage(query);
  const { documents: shown, hasMore, total } = pageOfCustomers(documents, page);
  const last = shown.at(-1);
  if (hasMore && last) reply.header('link', nextPageLink(PATH, query, page.limit, last.id));
  reply.header('x-total-count', total).header('content-type', JSON_CONTENT_TYPE).send(JSON.stringify(shown));
}

/** `GET /customers/{id}`, on the app and on replicas. */
export function answerCustomer(
  documents: CustomerDocuments,
  id: string,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  sendResource(request, reply, findCustomer(documents, parseId(id)));
}
