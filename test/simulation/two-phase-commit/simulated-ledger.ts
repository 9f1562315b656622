import {
  type Decision,
  decideParticipant,
  type InDoubt,
  type ParticipantDecision,
  type ParticipantMessage,
  type ParticipantState,
  type TransactionHead,
  type TransactionId,
} from '../../../src/protocols/two-phase-commit/index.js';
import type { SeededRandom } from '../../support/seeded-random.js';
import type { EventQueue } from '../replication/event-queue.js';
import type { Receiver } from '../replication/simulated-network.js';

export type LedgerMessage =
  | { readonly kind: 'prepare'; readonly head: TransactionHead }
  | { readonly kind: 'commit' | 'abort'; readonly id: TransactionId }
  | { readonly kind: 'in-doubt' };

export type LedgerReply =
  | { readonly kind: 'vote'; readonly isYes: boolean }
  | { readonly kind: 'done' }
  | { readonly kind: 'in-doubt'; readonly found: readonly InDoubt[] };

interface Entry {
  readonly head: TransactionHead | undefined;
  readonly state: ParticipantState;
  readonly preparedAtMs: number;
}

export interface LedgerWatcher {
  /** The effect of a message, not durable yet. */
  ledgerTook(id: TransactionId, message: ParticipantMessage, decision: ParticipantDecision): void;
  /** Makes the effect durable. */
  ledgerPromised(id: TransactionId): void;
  ledgerDecided(id: TransactionId, decision: Decision): void;
}

interface Task {
  readonly message: LedgerMessage;
  readonly reply: (reply: LedgerReply) => void;
}

/**
 * A store of another kind in its own process: it counts transactions. Messages arrive late, twice or never, also from
 * processes that have died since; so it keeps its tombstones on its disk.
 */
export class SimulatedLedger implements Receiver<LedgerMessage, LedgerReply> {
  readonly name = 'ledger';
  isUp = true;
  incarnation = 1;
  /** The chance that it refuses a promise. */
  refusalChance = 0;
  readonly entries = new Map<TransactionId, Entry>();
  private readonly tasks: Task[] = [];
  private isBusy = false;
  /** The disk write under way; after a crash it is either done or not. */
  private underWay: (() => void) | undefined;

  constructor(
    private readonly queue: EventQueue,
    private readonly random: SeededRandom,
    private readonly watcher: LedgerWatcher,
    private readonly keepsTombstones: boolean,
  ) {}

  stateOf(id: TransactionId): ParticipantState {
    return this.entries.get(id)?.state ?? 'unknown';
  }

  inDoubt(): readonly InDoubt[] {
    return [...this.entries.values()].flatMap(({ head, state, preparedAtMs }) =>
      head && state === 'prepared' ? [{ ...head, preparedAtMs }] : [],
    );
  }

  start(): void {
    if (this.isUp) return;
    this.isUp = true;
    this.incarnation += 1;
  }

  stop(): void {
    if (!this.isUp) return;
    this.isUp = false;
    this.tasks.length = 0;
    this.isBusy = false;
    if (this.underWay && this.random.chance(0.5)) this.underWay();
    this.underWay = undefined;
  }

  receive(message: LedgerMessage, reply: (reply: LedgerReply) => void): void {
    this.tasks.push({ message, reply });
    this.next();
  }

  private next(): void {
    const task = this.isBusy ? undefined : this.tasks.shift();
    if (!task) return;
    const { message, reply } = task;
    if (message.kind === 'in-doubt') {
      reply({ kind: 'in-doubt', found: this.inDoubt() });
      this.next();
      return;
    }
    const id = message.kind === 'prepare' ? message.head.id : message.id;
    const before = this.entries.get(id);
    const isRefused = message.kind === 'prepare' && !before && this.random.chance(this.refusalChance);
    if (isRefused) {
      reply({ kind: 'vote', isYes: false });
      this.next();
      return;
    }
    const decision = decideParticipant(before?.state ?? 'unknown', message.kind);
    this.watcher.ledgerTook(id, message.kind, decision);
    const { state, keep, answer } = decision;
    const head = message.kind === 'prepare' ? message.head : before?.head;
    const entry = keep && { head, state, preparedAtMs: before?.preparedAtMs ?? this.queue.nowMs };
    this.write(entry, id, () => {
      reply(answer === 'yes' || answer === 'no' ? { kind: 'vote', isYes: answer === 'yes' } : { kind: 'done' });
      this.next();
    });
  }

  private write(entry: Entry | undefined, id: TransactionId, done: () => void): void {
    const { incarnation, queue, random, watcher } = this;
    const keep = (): void => {
      if (!entry) return;
      const isTombstone = entry.state === 'aborted' && !this.entries.has(id);
      if (!isTombstone || this.keepsTombstones) this.entries.set(id, entry);
      if (entry.state === 'prepared') watcher.ledgerPromised(id);
      if (entry.state === 'committed' || entry.state === 'aborted') watcher.ledgerDecided(id, entry.state);
    };
    this.isBusy = true;
    this.underWay = keep;
    queue.after(0.5 + random.fraction() * 2, () => {
      if (!this.isUp || this.incarnation !== incarnation) return;
      this.underWay = undefined;
      this.isBusy = false;
      keep();
      done();
    });
  }
}
