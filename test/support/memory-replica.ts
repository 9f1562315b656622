import { GENESIS } from '../../src/platform/journal/index.js';
import {
  type CapturedState,
  NO_PROMISE,
  type Position,
  type ReplicaPromise,
  type ReplicaState,
  type ReplicaStore,
  type ShippedRecord,
} from '../../src/protocols/replication/index.js';

/** A replica's store in memory. Each step takes a turn of the event loop; what was done is noted, in order. */
export class MemoryReplica implements ReplicaStore {
  readonly steps: string[] = [];
  /** Made to fail once, at the next step. */
  failure: Error | undefined;
  received = '';
  private held: ReplicaState = { ...NO_PROMISE, clusterId: undefined, position: GENESIS, firstSeq: 1 };
  private underWay = 0;

  state(): ReplicaState {
    return this.held;
  }

  keepPromise(promise: ReplicaPromise): Promise<void> {
    return this.step(`promise ${String(promise.promisedEpoch)}${promise.canVote ? ' votes' : ''}`, () => ({
      ...this.held,
      ...promise,
    }));
  }

  follow(records: readonly ShippedRecord[]): Promise<void> {
    const last = records.at(-1);
    if (!last) throw new Error('nothing to follow');
    return this.step(`follow ${records.map(({ seq }) => seq).join(' ')}`, () => ({
      ...this.held,
      clusterId: 'cluster-a',
      position: { epoch: last.epoch, seq: last.seq, hash: last.hash },
    }));
  }

  quarantine(): Promise<void> {
    return this.step('set aside', () => ({ ...this.held, clusterId: undefined, position: GENESIS, firstSeq: 1 }));
  }

  async receiveSnapshot(_position: Position, chunks: AsyncIterable<Buffer>): Promise<void> {
    this.received = '';
    for await (const chunk of chunks) this.received += chunk.toString();
    this.steps.push(`receive ${this.received}`);
  }

  install(position: Position): Promise<void> {
    return this.step(`install ${String(position.seq)}`, () => ({
      ...this.held,
      clusterId: 'cluster-a',
      position,
      firstSeq: position.seq + 1,
    }));
  }

  captureState(): CapturedState {
    const { position } = this.held;
    return { position, stateHash: async () => `hash at ${String(position.seq)}` };
  }

  private async step(name: string, next: () => ReplicaState): Promise<void> {
    if (this.underWay > 0) throw new Error(`${name} was begun before the step before it was done`);
    this.underWay += 1;
    await new Promise((resolve) => setImmediate(resolve));
    this.underWay -= 1;
    const { failure } = this;
    this.failure = undefined;
    if (failure) throw failure;
    this.steps.push(name);
    this.held = next();
  }
}
