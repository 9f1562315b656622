import { Gauge, type Registry } from 'prom-client';
import type { ReplicationPrimary } from '../../protocols/replication/index.js';

export function observeReplication(registry: Registry, replication: Pick<ReplicationPrimary, 'status'>): void {
  const registers = [registry];
  new Gauge({
    name: 'replication_in_sync_replicas',
    help: 'Number of replicas that a write under "all" waits for.',
    registers,
    collect() {
      const views = replication.status.state?.replicas ?? [];
      this.set(views.filter(({ condition }) => condition === 'in-sync').length);
    },
  });
  new Gauge({
    name: 'replication_lag_records',
    help: 'Number of records that are durable here and not known to be on the replica.',
    labelNames: ['replica'],
    registers,
    collect() {
      const { position, state } = replication.status;
      for (const { name, ackedSeq } of state?.replicas ?? []) {
        this.set({ replica: name }, Math.max(0, position.seq - ackedSeq));
      }
    },
  });
}
