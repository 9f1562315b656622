import { type ChainPosition, parseLogPosition } from '../../kernel/index.js';
import type { DocumentMachine } from './document-machine.js';
import { EarlierTransactions } from './earlier-transactions.js';
import type { CarriedOutTransaction, PreparedTransaction } from './transaction-memory.js';

/** What the opening of a history takes from its newest snapshot, beside the state. */
export interface HistoryStart {
  /** As in the name of the snapshot's file; undefined where the history has no snapshot. */
  readonly snapshotSeq: number | undefined;
  /** The last record that the snapshot includes. */
  readonly covered: ChainPosition;
  /** The first record to keep beside the snapshot. */
  readonly keptFrom: number;
  /** As in `DocumentHistory.firstToldSeq`. */
  readonly firstToldSeq: number;
  /** Of the snapshot, and of each record since. */
  readonly earlier: EarlierTransactions;
}

/** The start from a snapshot of the machine as it is now. */
export function startAt(machine: DocumentMachine, snapshotSeq: number | undefined): HistoryStart {
  const { appliedPosition: covered, transactions } = machine;
  return {
    ...{ snapshotSeq, covered, earlier: EarlierTransactions.of(machine) },
    keptFrom: firstNeeded(covered, transactions.allPrepared()),
    firstToldSeq: snapshotSeq === undefined ? 1 : firstTold(covered, transactions.allDecided()),
  };
}

/** The first record to keep beside a snapshot at `position`. In-doubt transactions keep all of their journal records. */
export function firstNeeded({ seq }: ChainPosition, prepared: readonly PreparedTransaction[] = []): number {
  return Math.min(seq + 1, prepared[0]?.seq ?? Infinity);
}

/** The oldest record whose decision a snapshot at `position` tells, which remembers `decisions`. */
export function firstTold({ seq }: ChainPosition, [oldest]: readonly CarriedOutTransaction[] = []): number {
  return oldest === undefined ? seq + 1 : parseLogPosition(oldest.place).seq;
}
