import type { ChainPosition } from '../../../src/kernel/index.js';
import type { ReplicaAnswer, ReplicaMessage, ReplicaReport } from '../../../src/protocols/replication/index.js';
import type { SeededRandom } from '../../support/seeded-random.js';
import type { EventQueue } from './event-queue.js';
import type { SimulatedRecord, SimulatedStore } from './simulated-store.js';

/** Requests that a shell answers from durable data without the core. */
export type Question =
  | { readonly kind: 'report' }
  | { readonly kind: 'records'; readonly afterSeq: number }
  | { readonly kind: 'copy' }
  | { readonly kind: 'state-hash' };

/** An install carries the snapshot file, an append the records as this world makes them. */
export type Sent =
  | {
      readonly message: ReplicaMessage;
      readonly records?: readonly SimulatedRecord[];
      readonly content?: SimulatedStore;
    }
  | { readonly question: Question };

export type Reply =
  | { readonly kind: 'answer'; readonly answer: ReplicaAnswer }
  | { readonly kind: 'report'; readonly report: ReplicaReport }
  | { readonly kind: 'records'; readonly records: readonly SimulatedRecord[] | undefined }
  | { readonly kind: 'copy'; readonly store: SimulatedStore }
  | { readonly kind: 'state-hash'; readonly position: ChainPosition; readonly state: number };

export interface Receiver<S = Sent, R = Reply> {
  readonly name: string;
  readonly isUp: boolean;
  /** Each incarnation is another process: connections to an earlier one are broken. */
  readonly incarnation: number;
  receive(sent: S, reply: (reply: R) => void): void;
}

/** A process that sends requests. A dead one runs nothing; a paused one runs later. */
export interface Asker {
  run(action: () => void): void;
}

/** Requests over connections that lose, delay, repeat and reorder. Both directions of a link fail independently. */
export class SimulatedNetwork {
  lossChance = 0;
  repeatChance = 0;
  /** The chance that a message takes up to `longestDelayMs` instead of a few milliseconds. */
  slowChance = 0;
  maxDelayMs = 2_000;
  /** The broken directions, such as `to a` and `from a`. */
  readonly broken = new Set<string>();

  constructor(
    private readonly queue: EventQueue,
    private readonly random: SeededRandom,
  ) {}

  /** `settle` runs once: with the reply, or with undefined after `timeoutMs` or without a receiver. */
  request<S, R>(
    asker: Asker,
    to: Receiver<S, R>,
    sent: S,
    timeoutMs: number,
    settle: (reply: R | undefined) => void,
  ): void {
    let isSettled = false;
    const settleOnce = (reply: R | undefined): void => {
      asker.run(() => {
        if (isSettled) return;
        isSettled = true;
        settle(reply);
      });
    };
    if (!to.isUp) {
      this.queue.after(1, () => {
        settleOnce(undefined);
      });
      return;
    }
    const { incarnation } = to;
    this.queue.after(timeoutMs, () => {
      if (!isSettled) settleOnce(undefined);
    });
    const copies = this.random.chance(this.repeatChance) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      this.carry(`to ${to.name}`, () => {
        if (!to.isUp || to.incarnation !== incarnation) return;
        to.receive(sent, (reply) => {
          this.carry(`from ${to.name}`, () => {
            settleOnce(reply);
          });
        });
      });
    }
  }

  private carry(link: string, arrive: () => void): void {
    const { random } = this;
    if (random.chance(this.lossChance)) return;
    const delayMs = random.chance(this.slowChance) ? random.below(this.maxDelayMs) : 1 + random.fraction() * 4;
    this.queue.after(delayMs, () => {
      if (!this.broken.has(link)) arrive();
    });
  }
}
