import type { FastifyInstance } from 'fastify';
import { Counter, Gauge } from 'prom-client';
import type { HttpObserver } from '../../platform/observability/index.js';
import type { ReplicaCounts } from '../../protocols/replication/index.js';

export interface ReplicaMeasures extends ReplicaCounts {
  readonly epoch: number;
  readonly seq: number;
  readonly synchronized: number;
  readonly groups: number;
}

export function serveMetrics(server: FastifyInstance, observer: HttpObserver, read: () => ReplicaMeasures): void {
  const { registry } = observer;
  const gauge = (name: string, help: string, value: (measures: ReplicaMeasures) => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value(read()));
      },
    });
  };
  const counter = (name: string, help: string, value: (measures: ReplicaMeasures) => number): void => {
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(value(read()));
      },
    });
  };
  gauge('replica_epoch', 'Epoch of the last record that is durable here.', ({ epoch }) => epoch);
  gauge('replica_seq', 'Number of the last record that is durable here.', ({ seq }) => seq);
  gauge(
    'replica_lag_records',
    'Number of records that the primary had and this replica lacked when the primary last reported it.',
    ({ lag }) => lag,
  );
  gauge('replica_groups', 'Number of groups on this node.', ({ groups }) => groups);
  counter(
    'replica_appended_records_total',
    'Number of records made durable here since the start.',
    (all) => all.appendedRecords,
  );
  counter(
    'replica_synchronized_total',
    'Number of times that a file was made durable since the start.',
    (all) => all.synchronized,
  );
  counter(
    'replica_installed_snapshots_total',
    'Number of snapshots installed since the start.',
    (all) => all.installedSnapshots,
  );
  counter(
    'replica_set_asides_total',
    'Number of times that all data was quarantined since the start.',
    (all) => all.quarantines,
  );
  observer.serve(server);
}
