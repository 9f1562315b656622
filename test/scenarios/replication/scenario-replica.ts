import type { ChainPosition } from '../../../src/kernel/index.js';
import type {
  ChainRelation,
  ReplicaEffect,
  ReplicaMessage,
  ReplicaState,
} from '../../../src/protocols/replication/index.js';
import type { HasStore } from '../../simulation/replication/cluster.js';
import type { SimulatedStore } from '../../simulation/replication/simulated-store.js';

export function stateOf({ store }: HasStore): ReplicaState {
  const { clusterId, position, firstSeq, promise } = store;
  return { ...promise, clusterId, position, firstSeq };
}

export function perform(
  { store }: HasStore,
  effect: ReplicaEffect,
  content: SimulatedStore,
  clusterId: string | undefined,
): void {
  switch (effect.kind) {
    case 'keep-promise':
      store.promise = effect.promise;
      return;
    case 'append': {
      const [first] = effect.records;
      store.append(content.log.slice(first!.seq - 1, first!.seq - 1 + effect.records.length));
      store.durable = store.log.length;
      store.clusterId = clusterId;
      return;
    }
    case 'install':
      store.replaceBy(content, effect.position.seq);
      return;
    case 'set-aside':
      store.quarantine();
      return;
    case 'answer':
  }
}

export function relationOf(store: SimulatedStore, { seq, hash }: ChainPosition): ChainRelation {
  if (seq === 0) return 'on-chain';
  if (seq > store.durable) return 'off-chain';
  if (seq + 1 < store.firstSeq) return 'unknown';
  return store.positionAt(seq).hash === hash ? 'on-chain' : 'off-chain';
}

export function clusterOf({ from }: ReplicaMessage): string | undefined {
  return 'clusterId' in from ? from.clusterId : undefined;
}
