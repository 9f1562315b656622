import { AppError, type ErrorCode, isAppError, type LogPosition, logPositionText } from '../../../kernel/index.js';
import type { DocumentStore, PreparedChange, PrepareRefusal } from '../../../platform/documents/index.js';
import type {
  CarriedOut,
  InDoubt,
  Participant,
  Acknowledgement,
  TransactionHead,
  TransactionId,
  Vote,
} from '../ports.js';

export const DOCUMENTS = 'documents';

type No = Extract<Vote, { vote: 'no' }>;
type Concern = 'all' | 'majority' | 'primary';

export interface DocumentWork {
  readonly changes: readonly PreparedChange[];
  /** How many replicas must hold the promise besides this process. Absent: the replication's own concern applies. */
  readonly concern?: Concern;
}

/** The part of the primary's replication that promises need. */
export interface PromiseConfirmer {
  /** Throws an AppError, before anything is written, when nothing can be confirmed under this concern now. */
  admit(concern: Concern | undefined): void;
  /** Resolves as soon as the record is confirmed under the concern, or `withinMs` later. */
  confirm(seq: number, concern: Concern | undefined, withinMs: number): Promise<{ readonly isConfirmed: boolean }>;
}

type TransactionDocuments = Pick<
  DocumentStore,
  'prepare' | 'commitPrepared' | 'abortPrepared' | 'prepared' | 'carriedOut' | 'mayHavePrepared'
>;

/**
 * The documents as a participant. A promise is durable here and confirmed by replicas as the work's concern demands, so it
 * outlives the loss of this disk. The decision is one more record, which ships with the next batch. Nothing waits for it, because
 * the decision can always be sent again to a participant that holds the promise.
 *
 * Invariant: a `no` leaves nothing behind. A promise that the replicas do not confirm in time is undone, durably here, before the
 * `no`: without its `yes` no process may ask for `committed`.
 */
export class DocumentParticipant implements Participant<DocumentWork> {
  readonly name = DOCUMENTS;

  constructor(
    private readonly documents: TransactionDocuments,
    private readonly replication: PromiseConfirmer,
    private readonly options: { readonly prepareDeadlineMs: number },
  ) {}

  async prepare(head: TransactionHead, { changes, concern }: DocumentWork): Promise<Vote> {
    const promise = await this.promise(head, changes, concern);
    if ('vote' in promise) return promise;
    const { prepareDeadlineMs } = this.options;
    const { isConfirmed } = await this.replication.confirm(promise.seq, concern, prepareDeadlineMs);
    if (isConfirmed) return { vote: 'yes', position: logPositionText(promise) };
    await this.documents.abortPrepared(head.id);
    return no('too-few-replicas', `replicas did not confirm the promise within ${String(prepareDeadlineMs)} ms`);
  }

  commit(id: TransactionId): Promise<Acknowledgement> {
    return this.documents.commitPrepared(id);
  }

  abort(id: TransactionId): Promise<Acknowledgement> {
    return this.documents.abortPrepared(id);
  }

  inDoubt(): Promise<readonly InDoubt[]> {
    return Promise.resolve(this.documents.prepared());
  }

  carriedOut(): Promise<readonly CarriedOut[]> {
    return Promise.resolve(this.documents.carriedOut());
  }

  mayHavePrepared(id: TransactionId, position: string): Promise<boolean> {
    return Promise.resolve(this.documents.mayHavePrepared(id, position));
  }

  /** Resolves with the promise's log position, durable here, or with the reason for a `no`. */
  private async promise(
    head: TransactionHead,
    changes: readonly PreparedChange[],
    concern: Concern | undefined,
  ): Promise<LogPosition | No> {
    try {
      this.replication.admit(concern);
      const answer = await this.documents.prepare(head, changes);
      return answer.prepared ? answer.position : REFUSALS[answer.refusal]();
    } catch (error) {
      if (isAppError(error) && error.retry === 'safe') return { vote: 'no', reason: error };
      throw error;
    }
  }
}

const REFUSALS: Readonly<Record<PrepareRefusal, () => No>> = {
  exists: () => no('conflict', 'a document with this id exists', 'never'),
  reserved: () => no('conflict', 'a transaction that is not decided yet holds this id'),
  aborted: () => no('conflict', 'the transaction was aborted before', 'never'),
};

function no(code: ErrorCode, why: string, retry: 'never' | 'safe' = 'safe'): No {
  const again = retry === 'safe' && { retryAfterSeconds: 1 };
  return { vote: 'no', reason: new AppError(code, `${why}; nothing was written`, { retry, ...again }) };
}
