import { AppError } from '../../kernel/index.js';
import type { RecoveryReport, TransactionId } from '../../protocols/two-phase-commit/index.js';
import type { Resolution, TransactionResource } from './transaction.schemas.js';
import type { TransactionPage, TransactionPageRequest, TransactionReads } from './transaction-reads.js';
import type { RunningTransactions } from './transaction-sources.js';

export class TransactionService {
  constructor(
    private readonly running: RunningTransactions,
    private readonly reads: TransactionReads,
  ) {}

  page(request: TransactionPageRequest): Promise<TransactionPage> {
    return this.reads.page(request);
  }

  /** Rejects with `not-found`. */
  async find(id: TransactionId): Promise<TransactionResource> {
    const found = await this.reads.find(id);
    if (found) return found;
    throw new AppError('not-found', `transaction ${id} is unknown, or was forgotten`, { retry: 'never' });
  }

  /** Decides and carries out what it can, as happens automatically at the start and when a transaction is in doubt for long. */
  recover(): Promise<RecoveryReport> {
    return this.running.recoverNow();
  }

  /** Rejects with `not-found`, or with `conflict` when `decision` contradicts what is decided or may yet be decided. */
  async resolve(id: TransactionId, { decision, reason }: Resolution, caller: string): Promise<TransactionResource> {
    await this.running.resolve(id, decision === 'commit' ? 'committed' : 'aborted', { by: caller, reason });
    return this.find(id);
  }
}
