import type { DocumentMachine } from '../../../platform/documents/index.js';

type Result = ReturnType<DocumentMachine['apply']>;

/** Each from the oldest on. */
export interface Met {
  /** By their rows in the SQL database that was here: a row came before the documents were told. */
  readonly decided: readonly string[];
  /** Promised, and nothing tells here what became of them. */
  readonly unmatched: readonly string[];
}

/**
 * The transactions over more than one store whose other part only SQL can tell: those that the documents have committed,
 * as far as a recovery meets them, and those that are in doubt at its end. What was aborted has left nothing anywhere.
 */
export class MetTransactions {
  private readonly committed = new Set<string>();

  /** What a snapshot brought. */
  restored({ transactions }: DocumentMachine): void {
    for (const decided of transactions.allDecided()) this.applied(decided);
  }

  /** What a record has done. */
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
