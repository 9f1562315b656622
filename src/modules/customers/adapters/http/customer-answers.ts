import type { FastifyReply, FastifyRequest } from 'fastify';
import { JSON_CONTENT_TYPE, nextPageLink, parseId, parsePage, sendResource } from '../../../../platform/http/index.js';
import { type CustomerDocuments, findCustomer, pageOfCustomers } from '../../customer-reads.js';

/** `GET /customers`, on the app and on replicas. */
export function answerCustomers(documents: CustomerDocuments, query: unknown, reply: FastifyReply): void {
  const page = parsePage(query);
  const { documents: shown, hasMore, total } = pageOfCustomers(documents, page);
  const last = shown.at(-1);
  if (hasMore && last) reply.header('link', nextPageLink('/customers', query, page.limit, last.id));
  reply.header('x-total-count', total).header('content-type', JSON_CONTENT_TYPE).send(JSON.stringify(shown));
}

/** `GET /customers/{id}`, on the app and on replicas. */
export function answerCustomer(
  documents: CustomerDocuments,
  id: string,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const { body, etag } = findCustomer(documents, parseId(id));
  sendResource(request, reply, body, etag);
}
