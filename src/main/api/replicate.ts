import type { AppConfig } from '../../config/index.js';
import type { Log, ProcessControl } from '../../kernel/index.js';
import { systemRandom, systemTimers } from '../../platform/process/index.js';
import { HttpReplicaLink, replicationAuthorization, ReplicationPrimary } from '../../protocols/replication/index.js';
import type { OpenedStores } from './open.js';

/** Makes this process the primary of its documents. Nothing is requested or shipped before `open`. */
export function replicate(
  config: AppConfig['replication'],
  secret: string,
  { documents }: OpenedStores,
  own: {
    readonly log: Log;
    readonly process: ProcessControl;
    readonly primaryUrl: () => string;
    /** The id for a history that has not begun; undefined allows any. */
    readonly clusterId: string | undefined;
  },
): ReplicationPrimary {
  const { nodes, ...options } = config;
  const authorization = replicationAuthorization(secret);
  return new ReplicationPrimary(
    {
      store: documents,
      links: nodes.map((node) => new HttpReplicaLink(node, authorization)),
      timers: systemTimers,
      random: systemRandom,
      log: own.log,
      process: own.process,
    },
    { ...options, primaryUrl: own.primaryUrl, newClusterId: own.clusterId },
  );
}
