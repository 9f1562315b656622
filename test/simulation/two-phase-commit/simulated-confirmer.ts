import { AppError } from '../../../src/kernel/index.js';
import { admits } from '../../../src/protocols/replication/index.js';
import type { CommitConfirmer, Confirmation } from '../../../src/platform/http/index.js';
import type { Concern } from '../replication/cluster.js';
import type { SimulatedPrimary } from '../replication/simulated-primary.js';
import type { SimulatedLife } from './simulated-life.js';

const WRITE_DEADLINE_MS = 2_000;

/** Knows which replicas hold which write, as `ReplicationPrimary` does in the app. */
export class SimulatedConfirmer implements CommitConfirmer {
  constructor(
    private readonly primary: SimulatedPrimary,
    private readonly life: SimulatedLife,
  ) {}

  admit(concern: Concern = 'all'): void {
    if (concern === 'primary' || admits(this.primary.core!)) return;
    throw new AppError('too-few-replicas', 'too few replicas are in sync', { retry: 'safe', retryAfterSeconds: 1 });
  }

  confirm(seq: number, concern: Concern = 'all'): Promise<Confirmation> {
    const { life, primary } = this;
    const replicas = primary.core!.replicas.length;
    return life.promise((resolve) => {
      const answer = (isConfirmed: boolean): void => {
        const acked = primary.core!.replicas.filter(({ ackedSeq }) => ackedSeq >= seq).length;
        resolve({ isConfirmed, acked, replicas });
      };
      life.after(WRITE_DEADLINE_MS, () => {
        answer(false);
      });
      primary.submit(primary.store.log[seq - 1]!.op, concern, () => {
        answer(true);
      });
    });
  }

  isConfirmed(seq: number): boolean {
    return this.primary.core!.confirmed.all >= seq;
  }
}
