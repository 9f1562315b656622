import type { SeededRandom } from '../../support/seeded-random.js';
import { EventQueue } from '../replication/event-queue.js';

export interface Fault {
  readonly lossChance: number;
  readonly errorChance: number;
  readonly repeatChance: number;
  readonly lateChance: number;
  /** The chance that the node answers a change with 500, whether it is done or not. */
  readonly brokenChance: number;
}

/**
 * `unsent`: the node has certainly not received it. `silent`: it may have received it, or may receive it later. `broken`: the
 * node has answered 500, and nothing of this message comes later.
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
    /** Changes when the faults end. */
    public fault: Fault,
  ) {}

  setDown(node: string, isDown: boolean): void {
    if (isDown) this.down.add(node);
    else this.down.delete(node);
  }

  isDown(node: string): boolean {
    return this.down.has(node);
  }

  /** Sends once and reports the end once. The node may still do the work afterwards. */
  send<Answer>(node: string, work: () => Answer, done: (delivery: Delivery<Answer>) => void, isChange: boolean): void {
    const { random, queue, fault } = this;
    let hasEnded = false;
    let isCutOff = false;
    const end = (delivery: Delivery<Answer>): void => {
      if (hasEnded) return;
      hasEnded = true;
      isCutOff = delivery === 'broken';
      done(delivery);
    };
    if (this.isDown(node)) {
      queue.after(1, () => {
        end('unsent');
      });
      return;
    }
    queue.after(DEADLINE_MS, () => {
      end('silent');
    });
    const copies = random.chance(fault.repeatChance) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const isLate = random.chance(fault.lateChance);
      queue.after(isLate ? random.below(LATE_MS) : random.below(HOP_MS), () => {
        if (isCutOff || random.chance(fault.lossChance) || this.isDown(node)) return;
        const isError = random.chance(fault.errorChance);
        if (isError && random.chance(0.5)) {
          end('silent');
          return;
        }
        const isBroken = isChange && random.chance(fault.brokenChance);
        const delivery: Delivery<Answer> = isBroken && random.chance(0.5) ? 'broken' : { answer: work() };
        queue.after(random.below(HOP_MS), () => {
          if (random.chance(fault.lossChance)) return;
          end(isError ? 'silent' : isBroken ? 'broken' : delivery);
        });
      });
    }
  }
}
