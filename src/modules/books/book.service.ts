import { Injectable } from '@nestjs/common';
import { centsFromPrice } from '../../kernel/index.js';
import type { Preconditions } from '../../platform/http/index.js';
import {
  type RecordedAnswer,
  type Recording,
  SqlDatabase,
  SqlOperationLedger,
  type SqlWriteScope,
} from '../../platform/sql/index.js';
import { notFound, TABLE } from './book-reads.js';
import { bookOf, type NewBookRow } from './book-row.js';
import { BookRepository } from './book.repository.js';
import type { Book, BookInput } from './book.schemas.js';

/** `book` is its state after the write; absent after a delete. */
export interface BookOutcome {
  readonly change: 'created' | 'replaced' | 'deleted';
  readonly book?: Book;
}

type BookRecording = Recording<BookOutcome>;

@Injectable()
export class BookService {
  constructor(
    private readonly database: SqlDatabase,
    private readonly books: BookRepository,
    private readonly operations: SqlOperationLedger,
  ) {}

  create(input: BookInput, recording: BookRecording): Promise<RecordedAnswer> {
    return this.write(recording, () => ({ change: 'created', book: bookOf(this.books.insert(rowOf(input))) }));
  }

  /** Rejects with `not-found` or `precondition-failed`. */
  replace(id: number, input: BookInput, conditions: Preconditions, recording: BookRecording): Promise<RecordedAnswer> {
    return this.write(recording, () => {
      this.assertWritable(id, conditions);
      const row = { id, ...rowOf(input) };
      this.books.update(row);
      return { change: 'replaced', book: bookOf(row) };
    });
  }

  /** Rejects with `not-found` or `precondition-failed`. */
  delete(id: number, conditions: Preconditions, recording: BookRecording): Promise<RecordedAnswer> {
    return this.write(recording, () => {
      this.assertWritable(id, conditions);
      this.books.delete(id);
      return { change: 'deleted' };
    });
  }

  /** Runs only inside work of the write executor: the book exists exactly when that work is committed. */
  insertWithin(scope: SqlWriteScope, input: BookInput): Book {
    const row = this.books.insert(rowOf(input));
    scope.touch(TABLE);
    return bookOf(row);
  }

  /** Inserts all books in one commit, unless there was ever a book: then an earlier start did it. */
  async seed(inputs: readonly BookInput[]): Promise<void> {
    if (this.books.hasEverHeldABook()) return;
    await this.database.writer.run((scope) => {
      for (const input of inputs) this.books.insert(rowOf(input));
      scope.touch(TABLE);
    });
  }

  private write(recording: BookRecording, work: () => BookOutcome): Promise<RecordedAnswer> {
    return this.database.writer.run((scope) => {
      const answer = this.operations.record(recording, work());
      scope.touch(TABLE);
      return answer;
    });
  }

  private assertWritable(id: number, conditions: Preconditions): void {
    const current = this.books.findWithinWrite(id);
    if (current === undefined) throw notFound(id);
    const refused = conditions.refusal(`book ${String(id)}`, bookOf(current));
    if (refused) throw refused;
  }
}

function rowOf({ title, author, price, quantity }: BookInput): NewBookRow {
  const priceCents = centsFromPrice(price);
  if (priceCents === undefined) throw new Error('the schema lets only whole cents through');
  return { title, author, priceCents, quantity };
}
