import { AppError } from '../../../kernel/index.js';
import { refusalOf } from './typeorm-refusals.js';
import { controlsTransaction } from './transaction-control.js';

/** How far the COMMIT is. Only `asked` leaves open whether it has happened. */
export type CommitProgress = 'not-asked' | 'asked' | 'committed' | 'not-committed';

const COMMIT = 'COMMIT';
const ROLLBACK = 'ROLLBACK';
/** Of PostgreSQL: an error before this one has ended the transaction. */
const ABORTED_BEFORE = '25P02';

/**
 * What may be done on the connection of a transaction that decides. Each statement comes past here right before it runs.
 *
 * Invariant: no statement runs before the transaction has begun, after it has ended or in another one, and nobody but us
 * ends it. A transaction in which that was tried is not committed, whether or not the error of it was swallowed.
 */
export class StatementGate {
  progress: CommitProgress = 'not-asked';
  private phase: 'working' | 'committing' | 'rolling-back' = 'working';
  private broken: AppError | undefined;
  private failure: unknown;

  /** `isInTransaction`: as the connection knows it, at this moment. Throws when the statement must not run. */
  admit(sql: string, isInTransaction: boolean): void {
    if (this.phase === 'rolling-back' && sql === ROLLBACK) return;
    if (this.phase === 'rolling-back' || this.progress !== 'not-asked') throw over();
    const isOurCommit = this.phase === 'committing' && sql === COMMIT;
    if (controlsTransaction(sql) && !isOurCommit) {
      throw this.breakUp(`\`${sql}\` is not for \`decide\`: the transaction is begun and ended around it`);
    }
    if (!isInTransaction) throw this.breakUp('an error that was swallowed had ended the transaction');
    if (!isOurCommit) return;
    this.assertWhole();
    this.progress = 'asked';
  }

  ran(sql: string, isCommitted = true): void {
    if (this.phase === 'committing' && sql === COMMIT) this.progress = isCommitted ? 'committed' : 'not-committed';
  }

  /** `isAnswered`: by the database. Where it was not, only the database knows what became of the statement. */
  failed(error: unknown, isAnswered: boolean): void {
    if ((error as { code?: unknown } | null)?.code === ABORTED_BEFORE) return;
    this.failure = error;
    if (isAnswered) return;
    const refusal = refusalOf(error);
    this.broken ??= refusal instanceof AppError ? refusal : misused('a statement of `decide` was not answered', error);
  }

  /** Notes that the transaction must not be committed, and why. */
  breakUp(what: string): AppError {
    this.broken ??= misused(what, this.failure);
    return this.broken;
  }

  /** Throws what was noted. */
  assertWhole(): void {
    if (this.broken) throw this.broken;
  }

  startCommit(): void {
    this.phase = 'committing';
  }

  startRollBack(): void {
    this.phase = 'rolling-back';
  }

  /** For a transaction that is not there any more, or is good for nothing but a ROLLBACK. */
  endedByFailure(): AppError {
    const refusal = refusalOf(this.failure);
    if (refusal instanceof AppError) return refusal;
    return misused('`decide` swallowed an error that had ended the transaction', this.failure);
  }
}

const INTEGRITY = /^(?:23\d{3}|SQLITE_CONSTRAINT.*)$/;

/** A constraint that was hit is a conflict of what was asked; all else is a fault of the program. */
function misused(what: string, cause: unknown): AppError {
  const { code, message } = (cause ?? {}) as { code?: unknown; message?: unknown };
  const kind = typeof code === 'string' && INTEGRITY.test(code) ? 'conflict' : 'internal';
  const why = typeof message === 'string' ? ` (${message})` : '';
  const wayOut = 'a statement that may fail belongs into `manager.transaction(...)`';
  return new AppError(kind, `${what}${why}; nothing was written: ${wayOut}`, { retry: 'never', cause });
}

function over(): AppError {
  return new AppError('internal', 'the transaction of this manager is over: await each statement within `decide`', {
    retry: 'never',
  });
}
