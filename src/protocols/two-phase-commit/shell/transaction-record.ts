import type { Clock } from '../../../kernel/index.js';
import { isEnded, type TransactionState } from '../core/states.js';
import type { TransactionId } from '../ports.js';
import type { PhaseName, TransactionPhase, TransactionView } from './transaction.js';

interface Progress {
  readonly state: TransactionState;
  readonly branches: TransactionView['participants'];
}

/** All have one shape, because there are many. */
interface Phase {
  readonly phase: PhaseName;
  readonly atMs: number;
  readonly participant: string | undefined;
  readonly detail: string | undefined;
}

/** The view of one transaction for people; it decides nothing. */
export class TransactionRecord {
  private readonly phases: Phase[] = [];
  private progress: Progress;
  reason: string | undefined;

  constructor(
    readonly id: TransactionId,
    readonly kind: string,
    private readonly clock: Clock,
    begun: Progress,
    private readonly operationId?: string,
  ) {
    this.progress = begun;
  }

  get state(): TransactionState {
    return this.progress.state;
  }

  get branches(): Progress['branches'] {
    return this.progress.branches;
  }

  note(phase: PhaseName, participant?: string, detail?: string): void {
    this.phases.push({ phase, atMs: this.clock.nowMs(), participant, detail });
  }

  /** Keeps the given object, not a copy of it. */
  update(progress: Progress): void {
    this.progress = progress;
  }

  view(): TransactionView {
    const { id, kind, operationId, reason } = this;
    return {
      id,
      kind,
      state: this.progress.state,
      participants: this.progress.branches.map(({ name, state }) => ({ name, state })),
      history: this.phases.map(viewOf),
      ...(operationId !== undefined && { operationId }),
      ...(reason !== undefined && { reason }),
    };
  }
}

function viewOf({ phase, atMs, participant, detail }: Phase): TransactionPhase {
  return { phase, atMs, ...(participant && { participant }), ...(detail && { detail }) };
}

export type EndedTransaction = Pick<TransactionView, 'id' | 'kind' | 'state'>;

const MAX_ENDED = 1_000;

/** The last thousand transactions of this incarnation that ended, and all that were left to recovery or to a person. */
export class TransactionHistory {
  private readonly left = new Map<TransactionId, TransactionRecord>();
  /** A ring, whose oldest entry is at `next` once it is full. A search has time to look at all. */
  private readonly ended: TransactionRecord[] = [];
  private next = 0;

  constructor(private readonly whenEnded: (transaction: EndedTransaction) => void) {}

  /** Keeps a record until it has ended, and then among the ended ones. A record may be kept again. */
  keep(record: TransactionRecord): void {
    if (!isEnded(record.state)) {
      this.left.set(record.id, record);
      return;
    }
    this.left.delete(record.id);
    this.ended[this.next] = record;
    this.next = (this.next + 1) % MAX_ENDED;
    this.whenEnded(record);
  }

  forget(record: TransactionRecord): void {
    this.left.delete(record.id);
  }

  unfinished(): Iterable<TransactionRecord> {
    return this.left.values();
  }

  /** Undefined when it has ended, or never existed. */
  findUnfinished(id: TransactionId): TransactionRecord | undefined {
    return this.left.get(id);
  }

  find(id: TransactionId): TransactionRecord | undefined {
    return this.left.get(id) ?? this.ended.find((record) => record.id === id);
  }

  /** The ended ones come first, oldest first; the unfinished ones come last. */
  all(): readonly TransactionRecord[] {
    return [...this.ended.slice(this.next), ...this.ended.slice(0, this.next), ...this.left.values()];
  }
}
