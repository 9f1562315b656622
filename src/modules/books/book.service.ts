import { Injectable } from '@nestjs/common';
import { type Answer, AppError, centsFromPrice, type OperationStamp, priceFromCents } from '../../kernel/index.js';
import { type CachedRead, GenerationCache } from '../../platform/cache/index.js';
import {
  etagOf,
  nextPageLink,
  type PageRequest,
  prepareBody,
  type Preconditions,
  type PreparedBody,
} from '../../platform/http/index.js';
import { SqlDatabase, SqlOperationLedger, type SqlWriteScope } from '../../platform/sql/index.js';
import { BookRepository, type BookRow, type NewBookRow } from './book.repository.js';
import type { Book, BookInput } from './book.schemas.js';

const TABLE = 'books';

@Injectable()
export class BookService {
  constructor(
    private readonly database: SqlDatabase,
    private readonly books: BookRepository,
    private readonly operations: SqlOperationLedger,
    private readonly cache: GenerationCache<PreparedBody>,
  ) {}

  create(input: BookInput, operation: OperationStamp): Promise<Answer> {
    return this.write(operation, () => {
      const row = this.books.insert(rowOf(input));
      return shown(201, row, { location: `/books/${String(row.id)}` });
    });
  }

  /** Rejects with `not-found` or `precondition-failed`. */
  replace(id: number, input: BookInput, conditions: Preconditions, operation: OperationStamp): Promise<Answer> {
    return this.write(operation, () => {
      this.assertWritable(id, conditions);
      const row = { id, ...rowOf(input) };
      this.books.update(row);
      return shown(200, row, {});
    });
  }

  /** Rejects with `not-found` or `precondition-failed`. */
  delete(id: number, conditions: Preconditions, operation: OperationStamp): Promise<Answer> {
    return this.write(operation, () => {
      this.assertWritable(id, conditions);
      this.books.delete(id);
      return { status: 204, headers: {}, body: null };
    });
  }

  /** Throws `not-found`. */
  find(id: number): CachedRead<PreparedBody> {
    const read = this.cache.read(TABLE, String(id), () => {
      const row = this.books.find(id);
      if (row === undefined) return undefined;
      return prepareBody(JSON.stringify(bookOf(row)), []);
    });
    if (read === undefined) throw notFound(id);
    return read;
  }

  page({ after, limit }: PageRequest): CachedRead<PreparedBody> {
    const read = this.cache.read(TABLE, `after=${String(after)}&limit=${String(limit)}`, () => {
      const rows = this.books.page(after, limit + 1);
      const shownRows = rows.slice(0, limit);
      const last = shownRows.at(-1);
      const headers = ['X-Total-Count', String(this.books.count())];
      if (rows.length > limit && last !== undefined) headers.push('Link', nextPageLink('/books', {}, limit, last.id));
      return prepareBody(JSON.stringify(shownRows.map(bookOf)), headers);
    });
    if (read === undefined) throw new Error('a page always exists');
    return read;
  }

  /** Only inside work of the write executor: the book is there exactly when that is committed. */
  insertWithin(scope: SqlWriteScope, input: BookInput): Book {
    const row = this.books.insert(rowOf(input));
    scope.touch(TABLE);
    return bookOf(row);
  }

  /** Only inside work of the write executor: no book gets an id up to this one from now on. */
  passOverIdsWithin(_scope: SqlWriteScope, id: number): void {
    this.books.passOver(id);
  }

  /** All in one commit, unless there was ever a book: then it was done before. */
  async seed(inputs: readonly BookInput[]): Promise<void> {
    if (this.books.hasEverHeldABook()) return;
    await this.database.writer.run((scope) => {
      for (const input of inputs) this.books.insert(rowOf(input));
      scope.touch(TABLE);
    });
  }

  private write(operation: OperationStamp, work: (scope: SqlWriteScope) => Answer): Promise<Answer> {
    return this.database.writer.run((scope) => {
      const answer = work(scope);
      this.operations.record(operation, answer);
      scope.touch(TABLE);
      return answer;
    });
  }

  private assertWritable(id: number, conditions: Preconditions): void {
    const current = this.books.findWithinWrite(id);
    if (current === undefined) throw notFound(id);
    if (conditions.areNone) return;
    const refused = conditions.refusal(`book ${String(id)}`, etagOf(JSON.stringify(bookOf(current))));
    if (refused) throw refused;
  }
}

function rowOf({ title, author, price, quantity }: BookInput): NewBookRow {
  const priceCents = centsFromPrice(price);
  if (priceCents === undefined) throw new Error('the schema lets only whole cents through');
  return { title, author, priceCents, quantity };
}

function bookOf({ id, title, author, priceCents, quantity }: BookRow): Book {
  return { id, title, author, price: priceFromCents(priceCents), quantity };
}

function shown(status: number, row: BookRow, headers: Record<string, string>): Answer {
  const body = JSON.stringify(bookOf(row));
  return { status, headers: { ...headers, etag: etagOf(body) }, body };
}

function notFound(id: number): AppError {
  return new AppError('not-found', `there is no book ${String(id)}`, { retry: 'never' });
}
