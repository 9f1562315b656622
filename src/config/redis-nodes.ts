import { BUS_OFFSET } from './redis-settings.js';
import { isLoopback, nodesOf, type Settings } from './settings.js';

/** What `npm start` needs to run a cluster on this machine. */
export function redisNodesOf(settings: Settings) {
  const { redisClusterPorts, redisServerBin } = settings.redis;
  const others = portsOnThisMachine(settings);
  return {
    ports: redisClusterPorts,
    serverBin: redisServerBin,
    /** Ports of this machine that other settings name. */
    reservedPorts: others.map(({ port }) => port),
    /** Each port that two settings claim, in words that name both. */
    clashes: redisClusterPorts.flatMap((port) => {
      const bus = port + BUS_OFFSET;
      const isTwice = redisClusterPorts.includes(bus);
      const claims = [...others, ...(isTwice ? [{ setting: 'REDIS_CLUSTER_PORTS', port: bus }] : [])];
      return claims.flatMap((claim) => {
        if (claim.port === port) return [`port ${String(port)} belongs to REDIS_CLUSTER_PORTS and to ${claim.setting}`];
        if (claim.port !== bus) return [];
        const need = `the node on port ${String(port)} of REDIS_CLUSTER_PORTS needs it too`;
        return [`port ${String(bus)} belongs to ${claim.setting}, and ${need}`];
      });
    }),
  };
}

function portsOnThisMachine(settings: Settings): readonly { readonly setting: string; readonly port: number }[] {
  const { http, replication, cluster, gateway } = settings;
  const advertised = replication.advertisedUrl === undefined ? undefined : new URL(replication.advertisedUrl);
  const named = {
    PORT: [{ host: '127.0.0.1', port: http.port }],
    GATEWAY_PORT: gateway.gatewayPort === 'off' ? [] : [{ host: '127.0.0.1', port: gateway.gatewayPort }],
    [replication.replicaNodes.length > 0 ? 'REPLICA_NODES' : 'REPLICA_PORTS']: nodesOf(replication),
    NODES: cluster.nodes,
    APP_ADDRESSES: cluster.appAddresses,
    ADVERTISED_URL: advertised ? [{ host: advertised.hostname, port: Number(advertised.port) }] : [],
  };
  return Object.entries(named).flatMap(([setting, addresses]) =>
    addresses
      .filter(({ host, port }) => port > 0 && isLoopback(host.replaceAll(/[[\]]/g, '')))
      .map(({ port }) => ({ setting, port })),
  );
}
