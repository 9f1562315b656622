import {
  type Answer,
  nextPageLink,
  type PageRequest,
  prepareBody,
  type PreparedBody,
  writtenAnswer,
} from '../../../../platform/http/index.js';
import type { BookPage } from '../../book-reads.js';
import type { BookOutcome } from '../../book.service.js';
import type { Book } from '../../book.schemas.js';

const PATH = '/books';

export function bookAnswer({ change, book }: BookOutcome): Answer {
  return writtenAnswer(change, PATH, book);
}

export function preparedBook(book: Book): PreparedBody {
  return prepareBody(JSON.stringify(book), []);
}

export function preparedPage({ books, hasMore, total }: BookPage, { limit }: PageRequest): PreparedBody {
  const headers = ['X-Total-Count', String(total)];
  const last = books.at(-1);
  if (hasMore && last) headers.push('Link', nextPageLink(PATH, {}, limit, last.id));
  return prepareBody(JSON.stringify(books), headers);
}
