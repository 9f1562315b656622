import type { Clock } from '../../../kernel/index.js';
import { isEnded, type TransactionState } from '../core/states.js';
import type { TransactionId } from '../ports.js';
import type { PhaseName, TransactionPhase, TransactionView } from './transaction.js';

interface Told {
  readonly state: TransactionState;
  readonly branches: TransactionView['participants'];
}

/** What people can see of one transaction; decides nothing. */
export class TransactionRecord {
  private readonly phases: TransactionPhase[] = [];
  private told: Told;
  reason: string | undefined;

  constructor(
    readonly id: TransactionId,
    readonly kind: string,
    private readonly clock: Clock,
    begun: Told,
    private readonly operationId?: string,
  ) {
    this.told = begun;
  }

  get state(): TransactionState {
    return this.told.state;
  }

  get branches(): Told['branches'] {
    return this.told.branches;
  }

  note(phase: PhaseName, participant?: string, detail?: string): void {
    const atMs = this.clock.nowMs();
    this.phases.push({ phase, atMs, ...(participant && { participant }), ...(detail && { detail }) });
  }

  /** Takes over what is true of it now; keeps what it is given. */
  update(told: Told): void {
    this.told = told;
  }

  view(): TransactionView {
    const { id, kind, operationId, reason } = this;
    return {
      id,
      kind,
      state: this.told.state,
      participants: this.told.branches.map(({ name, state }) => ({ name, state })),
      history: [...this.phases],
      ...(operationId !== undefined && { operationId }),
      ...(reason !== undefined && { reason }),
    };
  }
}

const MOST_ENDED = 1_000;

/** The transactions of this life of the process: all that have not ended, and the last thousand that have. */
export class TransactionHistory {
  private readonly open = new Map<TransactionId, TransactionRecord>();
  private readonly ended = new Map<TransactionId, TransactionRecord>();

  /** `whenEnded`: told of each, once. */
  constructor(private readonly whenEnded: (transaction: TransactionView) => void) {}

  add(record: TransactionRecord): void {
    this.open.set(record.id, record);
  }

  /** Lets go of it, in its time, if it has ended. */
  settle(record: TransactionRecord): void {
    if (!isEnded(record.state) || !this.open.delete(record.id)) return;
    this.ended.set(record.id, record);
    this.whenEnded(record.view());
    if (this.ended.size <= MOST_ENDED) return;
    const [oldest] = this.ended.keys();
    if (oldest !== undefined) this.ended.delete(oldest);
  }

  forget(record: TransactionRecord): void {
    this.open.delete(record.id);
  }

  /** All that have not ended. */
  unfinished(): readonly TransactionRecord[] {
    return [...this.open.values()];
  }

  find(id: TransactionId): TransactionRecord | undefined {
    return this.open.get(id) ?? this.ended.get(id);
  }

  /** Those that ended first come first, those that have not ended last. */
  all(): readonly TransactionRecord[] {
    return [...this.ended.values(), ...this.open.values()];
  }
}
