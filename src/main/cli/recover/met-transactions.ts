import type { DocumentMachine } from '../../../platform/documents/index.js';

type Result = ReturnType<DocumentMachine['apply']>;

/** Both lists begin with the oldest. */
export interface Met {
  /** Known from rows of the SQL database that was here: a row is written before the documents are notified. */
  readonly decided: readonly string[];
  /** Promised, with an unknown outcome. */
  readonly unmatched: readonly string[];
}

/**
 * The transactions over more than one store whose other part only SQL knows: those that the documents have committed, as far as a
 * recovery meets them, and those in doubt at its end. An aborted transaction leaves nothing.
 */
export class MetTransactions {
  private readonly committed = new Set<string>();

  restored({ transactions }: DocumentMachine): void {
    for (const decided of transactions.allDecided()) this.applied(decided);
  }

  applied(result: Result): void {
    if (result !== undefined && 'decision' in result && result.decision === 'committed') {
      this.committed.add(result.transaction);
    }
  }

  atTheEnd({ transactions }: DocumentMachine): Met {
    const inDoubt = transactions.allPrepared().map(({ transaction }) => transaction);
    return { decided: [...this.committed].sort(), unmatched: inDoubt.sort() };
  }
}
