import { Injectable } from '@nestjs/common';
import { type Answer, type OperationStamp, placedAnswer } from '../../kernel/index.js';
import type { WriteConcern } from '../../platform/http/index.js';
import { SqlOperationLedger } from '../../platform/sql/index.js';
import {
  branch,
  DocumentParticipant,
  type Acknowledgement,
  type SqlWork,
  TransactionCoordinator,
  type TransactionOutcome,
} from '../../protocols/two-phase-commit/index.js';
import { type BookInput, BookService } from '../books/index.js';
import { CUSTOMERS } from '../customers/index.js';
import { type DecidedBook, recordedAnswer, wholeBody } from './book-2pc-answer.js';

/** In transactions and on the wire. */
export const BOOKS_2PC = 'books-2pc';

/** As decided, and where the documents' promise stands, which is what replicas were waited for. */
export interface CommittedBook extends DecidedBook {
  readonly promisedAt: string | undefined;
}

/** A new book in SQL and one order more for every customer: both or neither. */
@Injectable()
export class Book2pcService {
  constructor(
    private readonly coordinator: TransactionCoordinator<SqlWork>,
    private readonly documents: DocumentParticipant,
    private readonly books: BookService,
    private readonly operations: SqlOperationLedger,
  ) {}

  /** Rejects, nothing written in either store, when one of them cannot take part. */
  create(
    input: BookInput,
    operation: OperationStamp,
    concern: WriteConcern | undefined,
  ): Promise<TransactionOutcome<CommittedBook>> {
    return this.coordinator.execute<CommittedBook>({
      kind: BOOKS_2PC,
      operationId: operation.id,
      branches: [
        branch(this.documents, {
          changes: [{ type: 'bump', collection: CUSTOMERS.name }],
          ...(concern !== undefined && { concern }),
        }),
      ],
      decide: (scope, { id, places }): CommittedBook => {
        const decided = { transactionId: id, book: this.books.insertWithin(scope, input) };
        this.operations.record(operation, recordedAnswer(decided));
        return { ...decided, promisedAt: places[this.documents.name] };
      },
    });
  }

  answerOf({ promisedAt, ...decided }: CommittedBook, receipts: Readonly<Record<string, Acknowledgement>>): Answer {
    const receipt = receipts[this.documents.name];
    const whole = { ...recordedAnswer(decided), body: JSON.stringify(wholeBody(decided, receipt)) };
    return placedAnswer(whole, receipt?.place, promisedAt);
  }
}
