import { AppError } from '../../../src/kernel/index.js';
import { admits } from '../../../src/protocols/replication/index.js';
import type { Concern } from '../replication/cluster.js';
import type { PromiseConfirmer } from '../../../src/protocols/two-phase-commit/index.js';
import type { SimulatedPrimary } from '../replication/simulated-primary.js';
import type { SimulatedIncarnation } from './simulated-incarnation.js';

/** Knows which replicas hold a write, like `ReplicationPrimary` in the app. */
export class SimulatedConfirmer implements PromiseConfirmer {
  constructor(
    private readonly primary: SimulatedPrimary,
    private readonly incarnation: SimulatedIncarnation,
  ) {}

  admit(concern: Concern = 'all'): void {
    if (concern === 'primary' || admits(this.primary.core!)) return;
    throw new AppError('too-few-replicas', 'too few replicas are in sync', { retry: 'safe', retryAfterSeconds: 1 });
  }

  confirm(seq: number, concern: Concern = 'all', withinMs: number): ReturnType<PromiseConfirmer['confirm']> {
    const { incarnation, primary } = this;
    return incarnation.promise((resolve) => {
      incarnation.after(withinMs, () => {
        resolve({ isConfirmed: false });
      });
      primary.submit(primary.store.log[seq - 1]!.op, concern, () => {
        resolve({ isConfirmed: true });
      });
    });
  }
}
