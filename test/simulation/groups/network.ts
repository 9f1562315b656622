import type { SeededRandom } from '../../support/seeded-random.js';
import { EventQueue } from '../replication/event-queue.js';

export interface Fault {
  readonly lossChance: number;
  readonly errorChance: number;
  readonly repeatChance: number;
  readonly lateChance: number;
  /** Of a change: that the node answers 500, with or without having done it. */
  readonly brokenChance: number;
}

/**
 * `unsent`: the node has certainly not received it. `silent`: it may have, or may yet. `broken`: the node has answered 500,
 * and nothing of this message comes later.
 */
export type Delivery<Answer> = { readonly answer: Answer } | 'unsent' | 'silent' | 'broken';

const DEADLINE_MS = 100;
const HOP_MS = 20;
const LATE_MS = 5_000;

/** Messages that are lost, delayed beyond every deadline, repeated, and answered with errors before and after the work. */
export class Network {
  readonly queue = new EventQueue();
  private readonly down = new Set<string>();

  constructor(
    private readonly random: SeededRandom,
    /** Changed when the faults end. */
    public fault: Fault,
  ) {}

  setDown(node: string, isDown: boolean): void {
    if (isDown) this.down.add(node);
    else this.down.delete(node);
  }

  isDown(node: string): boolean {
    return this.down.has(node);
  }

  /** Sends once; tells once how that ended. The work may be done after that as well. */
  send<Answer>(node: string, work: () => Answer, told: (delivery: Delivery<Answer>) => void, isChange: boolean): void {
    const { random, queue, fault } = this;
    let isTold = false;
    let isEnded = false;
    const tell = (delivery: Delivery<Answer>): void => {
      if (isTold) return;
      isTold = true;
      isEnded = delivery === 'broken';
      told(delivery);
    };
    if (this.isDown(node)) {
      queue.after(1, () => {
        tell('unsent');
      });
      return;
    }
    queue.after(DEADLINE_MS, () => {
      tell('silent');
    });
    const copies = random.chance(fault.repeatChance) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const isLate = random.chance(fault.lateChance);
      queue.after(isLate ? random.below(LATE_MS) : random.below(HOP_MS), () => {
        if (isEnded || random.chance(fault.lossChance) || this.isDown(node)) return;
        const isError = random.chance(fault.errorChance);
        if (isError && random.chance(0.5)) {
          tell('silent');
          return;
        }
        const isBroken = isChange && random.chance(fault.brokenChance);
        const delivery: Delivery<Answer> = isBroken && random.chance(0.5) ? 'broken' : { answer: work() };
        queue.after(random.below(HOP_MS), () => {
          if (random.chance(fault.lossChance)) return;
          tell(isError ? 'silent' : isBroken ? 'broken' : delivery);
        });
      });
    }
  }
}
