import type { SeededRandom } from '../../support/seeded-random.js';
import type { EventQueue } from '../replication/event-queue.js';

/** What a process tells the gateway about one sending, in this order; after `lost` nothing more. */
export interface Sending {
  readonly content: string;
  readonly key: string | undefined;
  readonly isWrite: boolean;
  readonly sent: () => void;
  /** The answer is long, and its first bytes are here. */
  readonly begins: () => void;
  readonly answered: () => void;
  readonly lost: () => void;
  /** It is not active and did nothing. */
  readonly refused: () => void;
}

const ADDED_KEY_LIVES_MS = 120_000;
const USUAL_MS = 40;
const SLOW_MS = 30_000;
const TAKEOVER_MS = 3_000;
const LONG_TAKEOVER_MS = 14_000;
/** Longer than any hold. */
const NO_TAKEOVER_MS = 110_000;
const DIES_AFTER_A_WRITE = 0.03;

/** One data directory and the processes that are active on it one after the other, with what they have done. */
export class SimulatedApps {
  /** Number of the incarnation that serves. */
  serving: number | undefined;
  /** By content: how often it took effect. */
  readonly done = new Map<string, number>();
  private readonly keys = new Map<string, number>();
  private readonly open = new Set<Sending>();
  private incarnation = 0;
  private isDraining = false;

  constructor(
    private readonly queue: EventQueue,
    private readonly random: SeededRandom,
  ) {
    this.promote();
  }

  receive(sending: Sending, incarnation: number): void {
    const { queue, random } = this;
    this.open.add(sending);
    queue.after(random.below(3), () => {
      if (this.serving !== incarnation) return this.end(sending, sending.lost);
      if (this.isDraining) return this.end(sending, sending.refused);
      sending.sent();
      const isSlow = random.chance(0.1);
      queue.after(isSlow ? random.below(SLOW_MS) : random.below(USUAL_MS), () => {
        if (this.serving !== incarnation || !this.open.has(sending)) return;
        if (sending.isWrite) this.do(sending);
        if (random.chance(DIES_AFTER_A_WRITE)) this.kill();
        else this.answer(sending, incarnation);
      });
    });
  }

  /** The gateway does not wait for it any more; what it has begun goes on. */
  abort(sending: Sending): void {
    if (this.random.chance(0.5)) this.open.delete(sending);
  }

  kill(): void {
    if (this.serving === undefined) return;
    this.serving = undefined;
    for (const sending of [...this.open]) this.queue.after(this.random.below(3), () => this.end(sending, sending.lost));
    this.takeOver();
  }

  /** A clean stop: what it has is finished, what comes is refused. */
  drain(): void {
    this.isDraining = this.serving !== undefined;
    this.queue.after(100, () => this.isDraining && this.kill());
  }

  private takeOver(): void {
    const dice = this.random.below(100);
    const longest = dice < 10 ? NO_TAKEOVER_MS : dice < 25 ? LONG_TAKEOVER_MS : TAKEOVER_MS;
    this.queue.after(200 + this.random.below(longest), () => this.promote());
  }

  private promote(): void {
    this.isDraining = false;
    this.serving = this.incarnation += 1;
  }

  private answer(sending: Sending, incarnation: number): void {
    const isLong = !sending.isWrite && this.random.chance(0.2);
    if (isLong) sending.begins();
    this.queue.after(this.random.below(isLong ? 500 : 5), () => {
      if (this.serving === incarnation) this.end(sending, sending.answered);
    });
  }

  private do({ content, key }: Sending): void {
    const doneAt = key === undefined ? undefined : this.keys.get(key);
    if (doneAt !== undefined && this.queue.nowMs < doneAt + ADDED_KEY_LIVES_MS) return;
    if (key !== undefined) this.keys.set(key, this.queue.nowMs);
    this.done.set(content, (this.done.get(content) ?? 0) + 1);
  }

  private end(sending: Sending, how: () => void): void {
    if (this.open.delete(sending)) how();
  }
}
