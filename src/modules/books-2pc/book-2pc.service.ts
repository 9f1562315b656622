import { Injectable } from '@nestjs/common';
import type { WriteConcern } from '../../platform/http/index.js';
import { type Recording, SqlOperationLedger } from '../../platform/sql/index.js';
import {
  branch,
  DocumentParticipant,
  type SqlWork,
  TransactionCoordinator,
  type TransactionId,
  type TransactionOutcome,
} from '../../protocols/two-phase-commit/index.js';
import { type Book, type BookInput, BookService } from '../books/index.js';
import { CUSTOMERS } from '../customers/index.js';
import type { Decided } from '../transactions/index.js';

/** The name in transactions and on the wire. */
export const BOOKS_2PC = 'books-2pc';

export interface DecidedBook {
  readonly transactionId: TransactionId;
  readonly book: Book;
}

/** Adds a book in SQL and one order for every customer: both or neither. */
@Injectable()
export class Book2pcService {
  constructor(
    private readonly coordinator: TransactionCoordinator<SqlWork>,
    private readonly documents: DocumentParticipant,
    private readonly books: BookService,
    private readonly operations: SqlOperationLedger,
  ) {}

  /** Rejects, with nothing written in either store, when one of them cannot take part. */
  create(
    input: BookInput,
    recording: Recording<DecidedBook>,
    concern: WriteConcern | undefined,
  ): Promise<TransactionOutcome<Decided>> {
    return this.coordinator.execute<Decided>({
      kind: BOOKS_2PC,
      operationId: recording.operation.id,
      branches: [
        branch(this.documents, {
          changes: [{ type: 'bump', collection: CUSTOMERS.name }],
          ...(concern !== undefined && { concern }),
        }),
      ],
      decide: (scope, { id, positions }): Decided => {
        const decided = { transactionId: id, book: this.books.insertWithin(scope, input) };
        return { answer: this.operations.record(recording, decided), promisedAt: positions[this.documents.name] };
      },
    });
  }
}
