import { GENESIS, type ChainPosition, type EncodedRecord, type CapturedState } from '../../src/kernel/index.js';
import type { ReplicaPromise, ReplicaStore } from '../../src/protocols/replication/index.js';

/** A replica's store in memory. Each step takes a turn of the event loop; what was done is noted, in order. */
export class MemoryReplica implements ReplicaStore {
  readonly steps: string[] = [];
  /** Made to fail once, at the next step. */
  failure: Error | undefined;
  received = '';
  /** What the next snapshot that comes in says of itself. */
  snapshotPosition: ChainPosition = GENESIS;
  promise: ReplicaPromise | undefined;
  clusterId: string | undefined;
  position: ChainPosition = GENESIS;
  firstSeq = 1;
  private underWay = 0;

  keepPromise(promise: ReplicaPromise): Promise<void> {
    return this.step(`promise ${String(promise.promisedEpoch)}${promise.canVote ? ' votes' : ''}`, () => {
      this.promise = promise;
    });
  }

  follow(records: readonly EncodedRecord[]): Promise<void> {
    const last = records.at(-1);
    if (!last) throw new Error('nothing to follow');
    return this.step(`follow ${records.map(({ seq }) => seq).join(' ')}`, () => {
      this.clusterId = 'cluster-a';
      this.position = { epoch: last.epoch, seq: last.seq, hash: last.hash };
    });
  }

  quarantine(): Promise<void> {
    return this.step('set aside', () => {
      Object.assign(this, { clusterId: undefined, position: GENESIS, firstSeq: 1 });
    });
  }

  async receiveSnapshot(chunks: AsyncIterable<Buffer>): Promise<ChainPosition> {
    this.received = '';
    for await (const chunk of chunks) this.received += chunk.toString();
    this.steps.push(`receive ${this.received}`);
    return this.snapshotPosition;
  }

  install(): Promise<void> {
    const { snapshotPosition: position } = this;
    return this.step(`install ${String(position.seq)}`, () => {
      Object.assign(this, { clusterId: 'cluster-a', position, firstSeq: position.seq + 1 });
    });
  }

  captureState(): CapturedState {
    const { position } = this;
    return { position, stateHash: async () => `hash at ${String(position.seq)}` };
  }

  private async step(name: string, take: () => void): Promise<void> {
    if (this.underWay > 0) throw new Error(`${name} was begun before the step before it was done`);
    this.underWay += 1;
    await new Promise((resolve) => setImmediate(resolve));
    this.underWay -= 1;
    const { failure } = this;
    this.failure = undefined;
    if (failure) throw failure;
    this.steps.push(name);
    take();
  }
}
