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
import { StockService } from '../stock/index.js';
import { notFound } from './book-reads.js';
import { bookOf, itemIdOf, type NewBookRow, TABLE } from './book-row.js';
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
    private readonly stock: StockService,
    private readonly operations: SqlOperationLedger,
  ) {}

  create(input: BookInput, recording: BookRecording): Promise<RecordedAnswer> {
    return this.write(recording, (scope) => ({ change: 'created', book: this.insert(scope, input) }));
  }

  /** A changed quantity is a delivery of the difference. Rejects with `not-found` or `precondition-failed`. */
  replace(id: number, input: BookInput, conditions: Preconditions, recording: BookRecording): Promise<RecordedAnswer> {
    return this.write(recording, (scope) => {
      this.assertWritable(id, conditions);
      const row = { id, ...rowOf(input) };
      this.books.update(row);
      this.stock.replaceWithin(scope, { id: itemIdOf(id), price: row.priceCents, stock: input.quantity });
      return { change: 'replaced', book: bookOf(row, input.quantity) };
    });
  }

  /** The item in stock goes with the book. Rejects with `not-found` or `precondition-failed`. */
  delete(id: number, conditions: Preconditions, recording: BookRecording): Promise<RecordedAnswer> {
    return this.write(recording, (scope) => {
      this.assertWritable(id, conditions);
      this.books.delete(id);
      this.stock.removeWithin(scope, { id: itemIdOf(id), shownIn: TABLE });
      return { change: 'deleted' };
    });
  }

  /** Runs only inside work of the write executor: the book exists exactly when that work is committed. */
  insertWithin(scope: SqlWriteScope, input: BookInput): Book {
    scope.touch(TABLE);
    return this.insert(scope, input);
  }

  /** Inserts all books in one commit, unless there was ever a book: then an earlier start did it. */
  async seed(inputs: readonly BookInput[]): Promise<void> {
    if (this.books.hasEverHeldABook()) return;
    await this.database.writer.run((scope) => {
      for (const input of inputs) this.insert(scope, input);
      scope.touch(TABLE);
    });
  }

  private insert(scope: SqlWriteScope, input: BookInput): Book {
    const row = this.books.insert(rowOf(input));
    const { quantity } = input;
    this.stock.createWithin(scope, { id: itemIdOf(row.id), price: row.priceCents, stock: quantity, shownIn: TABLE });
    return bookOf(row, quantity);
  }

  private write(recording: BookRecording, work: (scope: SqlWriteScope) => BookOutcome): Promise<RecordedAnswer> {
    return this.database.writer.run((scope) => {
      const answer = this.operations.record(recording, work(scope));
      scope.touch(TABLE);
      return answer;
    });
  }

  private assertWritable(id: number, conditions: Preconditions): void {
    const current = this.books.findWithinWrite(id);
    if (current === undefined) throw notFound(id);
    const refused = conditions.refusal(`book ${String(id)}`, current);
    if (refused) throw refused;
  }
}

function rowOf({ title, author, price }: BookInput): NewBookRow {
  const priceCents = centsFromPrice(price);
  if (priceCents === undefined) throw new Error('the schema lets only whole cents through');
  return { title, author, priceCents };
}
