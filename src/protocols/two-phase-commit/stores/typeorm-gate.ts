import { AppError } from '../../../kernel/index.js';
import { refusalOf } from './typeorm-refusals.js';
import { controlsTransaction } from './transaction-control.js';

/** Progress of the COMMIT. Only `asked` leaves open whether it has happened. */
export type CommitProgress = 'not-asked' | 'asked' | 'committed' | 'not-committed';

const COMMIT = 'COMMIT';
const ROLLBACK = 'ROLLBACK';
/** PostgreSQL's code when an earlier error has ended the transaction. */
const ABORTED_BEFORE = '25P02';

/**
 * Guards the connection of a transaction that decides. Each statement passes here right before it runs.
 *
 * Invariant: no statement runs before the transaction has begun, after it has ended or in another one, and only this code ends
 * it. A transaction in which a statement tried to is not committed, even if that statement's error was swallowed.
 */
export class StatementGate {
  progress: CommitProgress = 'not-asked';
  private phase: 'working' | 'committing' | 'rolling-back' = 'working';
  private broken: AppError | undefined;
  private failure: unknown;

  /** `isInTransaction` is what the connection knows at this moment. Throws when the statement must not run. */
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

  /** `isAnswered`: whether the database answered. If not, only the database knows the outcome of the statement. */
  failed(error: unknown, isAnswered: boolean): void {
    if (isAbortedBefore(error)) return;
    this.failure = error;
    if (isAnswered) return;
    const refusal = refusalOf(error);
    this.broken ??= refusal instanceof AppError ? refusal : misused('a statement of `decide` was not answered', error);
  }

  /** Notes why the transaction must not be committed. */
  breakUp(what: string): AppError {
    this.broken ??= misused(what, this.failure);
    return this.broken;
  }

  assertWhole(): void {
    if (this.broken) throw this.broken;
  }

  startCommit(): void {
    this.phase = 'committing';
  }

  startRollBack(): void {
    this.phase = 'rolling-back';
  }

  /** The earlier error, for a statement that PostgreSQL refused because of it: the connection may learn of that only now. */
  reasonFor(error: unknown): unknown {
    return isAbortedBefore(error) ? this.endedByFailure() : error;
  }

  /** The error for a transaction that no longer exists, or that only a ROLLBACK can end. */
  endedByFailure(): AppError {
    const refusal = refusalOf(this.failure);
    if (refusal instanceof AppError) return refusal;
    return misused('`decide` swallowed an error that had ended the transaction', this.failure);
  }
}

function isAbortedBefore(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === ABORTED_BEFORE;
}

const INTEGRITY = /^(?:23\d{3}|SQLITE_CONSTRAINT.*)$/;

/** A violated constraint is a conflict of the request; any other error is a fault of the program. */
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
