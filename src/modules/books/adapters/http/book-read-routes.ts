import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { MaybePromise } from '../../../../kernel/index.js';
import { parseId, parsePage, sendPrepared } from '../../../../platform/http/index.js';
import type { BookReads } from '../../book-reads.js';
import { preparedBook, preparedPage } from './book-answers.js';

/** Answers reads of books directly from Fastify. `books` is called once per request. */
export function serveBookReads(server: FastifyInstance, books: () => BookReads): void {
  const options = { config: { isAnsweredAtOnce: true } } as const;
  server.get('/books', options, (request, reply) => answerBooks(books(), request, reply));
  server.get<{ Params: { id: string } }>('/books/:id', options, (request, reply) =>
    answerBook(books(), request.params.id, request, reply),
  );
}

/** `GET /books`. */
export function answerBooks(books: BookReads, request: FastifyRequest, reply: FastifyReply): MaybePromise<void> {
  const page = parsePage(request.query);
  return sendPrepared(request, reply, books.page(page, preparedPage), () => books.rememberedPage(page));
}

/** `GET /books/{id}`. */
export function answerBook(
  books: BookReads,
  id: string,
  request: FastifyRequest,
  reply: FastifyReply,
): MaybePromise<void> {
  const bookId = parseId(id);
  return sendPrepared(request, reply, books.find(bookId, preparedBook), () => books.remembered(bookId));
}
