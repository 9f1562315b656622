import type { Log, Timers } from '../../kernel/index.js';
import { type ClusterAccess, clusterAccess, type ClusterLocation } from './server-files.js';

export const LOOK_EVERY_MS = 2_000;

interface Followed {
  /** Never rejects. */
  answers(): Promise<boolean>;
  close(): void;
}

interface FollowPorts<C> {
  readonly log: Log;
  readonly timers: Timers;
  readonly open: (access: ClusterAccess) => Promise<C>;
}

/**
 * Opens a client as soon as a cluster runs at the location, and another one when the cluster has moved and none of the nodes
 * that the client knows answers: a client knows only the addresses that it began with. Returns what ends this, with the client.
 */
export function followCluster<C extends Followed>(
  location: ClusterLocation,
  { log, timers, open }: FollowPorts<C>,
  opened: (client: C) => void,
): () => void {
  let client: C | undefined;
  let openedWith: string | undefined;
  let problem: string | undefined;
  let isClosed = false;
  let cancel: () => void = () => undefined;
  const look = async (): Promise<void> => {
    const access = clusterAccess(location);
    const found = access && JSON.stringify(access);
    if (access === undefined || found === openedWith || (await client?.answers()) === true) return;
    const next = await open(access);
    if (isClosed) {
      next.close();
      return;
    }
    client?.close();
    client = next;
    openedWith = found;
    opened(next);
  };
  const follow = async (): Promise<void> => {
    try {
      await look();
      problem = undefined;
    } catch (error) {
      if (problem !== String(error)) log.warn('the Redis Cluster is not used', { error: String(error) });
      problem = String(error);
    }
    if (!isClosed) cancel = timers.after(LOOK_EVERY_MS, () => void follow());
  };
  void follow();
  return () => {
    isClosed = true;
    cancel();
    client?.close();
  };
}
