import type { ChainPosition, EncodedRecord } from '../../../src/kernel/index.js';
import type { ReplicaPromise } from '../../../src/protocols/replication/index.js';
import { NO_PROMISE } from '../../../src/protocols/replication/index.js';
import type { SeededRandom } from '../../support/seeded-random.js';

/** `op` numbers the client's write; 0 is the first record of an epoch. */
export interface SimulatedRecord extends EncodedRecord {
  readonly op: number;
}

/** How a process ends: `power` also loses unsynchronised data from some point on. */
export type Crash = 'kill' | 'power';

const START: ChainPosition = { epoch: 0, seq: 0, hash: '0'.repeat(32) };

/** A cheap hash, because the cores only compare hashes. */
export function recordAfter(previous: ChainPosition, epoch: number, op: number): SimulatedRecord {
  const seq = previous.seq + 1;
  let code = op;
  for (let i = 0; i < previous.hash.length; i += 1) code = Math.imul(code ^ previous.hash.charCodeAt(i), 0x01000193);
  return { epoch, seq, hash: `${epoch}.${seq}.${code >>> 0}`, json: '', op };
}

/** The document state after one more record. */
function apply(state: number, record: SimulatedRecord): number {
  return Math.imul(state ^ record.op ^ (record.epoch << 20), 0x85ebca6b) ^ (state >>> 13);
}

/**
 * A data directory. It keeps the whole history as the content of snapshot and journal; a shortened journal lacks the records
 * before `firstSeq`.
 */
export class SimulatedStore {
  clusterId: string | undefined;
  log: SimulatedRecord[] = [];
  /** The state after each record. */
  states: number[] = [];
  /** The number of records that survive a loss of power. */
  durable = 0;
  firstSeq = 1;
  snapshotSeq = 0;
  promise: ReplicaPromise = NO_PROMISE;
  readonly quarantined: SimulatedRecord[][] = [];

  get position(): ChainPosition {
    return this.positionAt(this.durable);
  }

  positionAt(seq: number): ChainPosition {
    const record = this.log[seq - 1];
    return record ? { epoch: record.epoch, seq: record.seq, hash: record.hash } : START;
  }

  stateAt(seq: number): number {
    return this.states[seq - 1] ?? 0;
  }

  append(records: readonly SimulatedRecord[]): void {
    for (const record of records) {
      this.states.push(apply(this.stateAt(this.log.length), record));
      this.log.push(record);
    }
  }

  /** A starting process makes the data durable and computes the state again. */
  open(): void {
    this.durable = this.log.length;
    const { log } = this;
    this.log = [];
    this.states = [];
    this.append(log);
  }

  /** Whether the state contradicts the records. */
  isTampered(): boolean {
    let state = 0;
    return this.log.some((record, index) => (state = apply(state, record)) !== this.states[index]);
  }

  /** A whole number of unsynchronised records remains; a torn one is removed. */
  crash(how: Crash, random: SeededRandom): void {
    if (how === 'power') this.truncate(this.durable + random.below(this.log.length - this.durable + 1));
  }

  /** Takes a snapshot of all records and begins the journal somewhere before its end. */
  shorten(random: SeededRandom): void {
    this.snapshotSeq = this.durable;
    this.firstSeq = Math.max(this.firstSeq, this.durable + 1 - random.below(4));
  }

  /** Installs the data of another directory up to `seq` as one snapshot. */
  replaceBy(other: Pick<SimulatedStore, 'clusterId' | 'log' | 'states'>, seq: number): void {
    this.clusterId = other.clusterId;
    this.log = other.log.slice(0, seq);
    this.states = other.states.slice(0, seq);
    this.durable = seq;
    this.firstSeq = seq + 1;
    this.snapshotSeq = seq;
  }

  /** Copies the durable parts, like a copy of the directory. */
  copy(): SimulatedStore {
    const copy = new SimulatedStore();
    copy.log = this.log.slice(0, this.durable);
    copy.states = this.states.slice(0, this.durable);
    copy.durable = this.durable;
    copy.clusterId = copy.durable === 0 ? undefined : this.clusterId;
    copy.firstSeq = this.firstSeq;
    copy.snapshotSeq = this.snapshotSeq;
    copy.promise = this.promise;
    return copy;
  }

  quarantine(): void {
    this.quarantined.push(this.log);
    this.clear();
  }

  clear(): void {
    this.clusterId = undefined;
    this.log = [];
    this.states = [];
    this.durable = 0;
    this.firstSeq = 1;
    this.snapshotSeq = 0;
  }

  private truncate(length: number): void {
    this.log.length = length;
    this.states.length = length;
  }
}
