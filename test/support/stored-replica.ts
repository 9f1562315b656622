import { dirname } from 'node:path';
import { nextTurn } from '../../src/platform/process/index.js';
import {
  DocumentMachine,
  type DocumentOp,
  SnapshotCodec,
  SnapshotFile,
  stateHash,
} from '../../src/platform/documents/index.js';
import type { JournalRecord } from '../../src/platform/journal/index.js';
import { NO_CRASH_SITES } from '../../src/platform/crash-sites/index.js';
import { AppError, GENESIS, type EncodedRecord, type SnapshotStream } from '../../src/kernel/index.js';
import type {
  PromiseMessage,
  ReplicaAnswer,
  ReplicaLink,
  ReplicaReport,
  StateHashAt,
} from '../../src/protocols/replication/index.js';
import { EMPTY_REPORT, positionOf, recordsAfter } from './replication-world.js';
import { SimulatedDisk } from './simulated-disk.js';

const COLLECTIONS = [{ name: 'customers', counterField: 'orders_count' }];
const SNAPSHOT = '/replica/documents.json';

/** A history of `epochs` epochs in which each puts `puts` customers, as the journal has it. */
export function customerHistory(epochs: number, puts: number, clusterId = 'cluster-a'): EncodedRecord[] {
  const records: EncodedRecord[] = [];
  let id = 0;
  for (let epoch = 1; epoch <= epochs; epoch += 1) {
    const ops: DocumentOp[] = [{ type: 'epoch-started', clusterId, primaryId: `primary-${epoch}` }];
    for (let put = 0; put < puts; put += 1) {
      id += 1;
      const operation = { id: `operation-${id}`, scope: `scope-${id}`, bodyHmac: `hmac-${id}` };
      ops.push({
        type: 'put',
        collection: 'customers',
        id,
        fields: { name: `Customer ${id}`, email: 'c@x.org' },
        operation,
      });
    }
    const last = records.at(-1);
    records.push(...recordsAfter(last ? positionOf(last) : GENESIS, epoch, ops));
  }
  return records;
}

/** A replica that holds these records, in memory, and answers what a recovery asks. */
export class StoredReplica implements ReplicaLink {
  /** Nothing answers while it is. */
  isDown = false;
  canVote = true;
  promised = { epoch: 0, primaryId: '' };
  /** Every promise that it was asked for, kept or not. */
  readonly asked: PromiseMessage['from'][] = [];
  /** Only the records behind this one can be read one by one; the others are in a snapshot. */
  snapshotSeq = 0;
  stateHashOverride: string | undefined;

  constructor(
    readonly name: string,
    public held: EncodedRecord[],
    private readonly clusterId = 'cluster-a',
  ) {}

  async report(): Promise<ReplicaReport> {
    if (this.isDown) throw new AppError('not-ready', 'nothing is listening', { retry: 'safe' });
    const last = this.held.at(-1);
    const promises = { promisedEpoch: this.promised.epoch, promisedPrimaryId: this.promised.primaryId || undefined };
    if (!last) return { ...EMPTY_REPORT, ...promises };
    return {
      ...{ clusterId: this.clusterId, position: positionOf(last), firstSeq: this.snapshotSeq + 1 },
      ...{ canVote: this.canVote, ...promises },
    };
  }

  async promise(from: PromiseMessage['from']): Promise<ReplicaAnswer> {
    await this.report();
    this.asked.push(from);
    if (from.epoch <= this.promised.epoch) return { verdict: 'stale-epoch', report: await this.report() };
    this.promised = from;
    return { verdict: 'accepted', report: await this.report() };
  }

  async records(afterSeq: number): Promise<readonly EncodedRecord[] | 'gone'> {
    if (afterSeq < this.snapshotSeq) return 'gone';
    // Two at a time, so that whoever reads has to ask again.
    return this.held.slice(afterSeq, afterSeq + 2);
  }

  async snapshot(): Promise<SnapshotStream | undefined> {
    const last = this.held[this.snapshotSeq - 1];
    if (!last) return undefined;
    const bytes = await snapshotOf(this.held.slice(0, this.snapshotSeq));
    async function* chunks(): AsyncGenerator<Buffer> {
      yield bytes.subarray(0, 10);
      yield bytes.subarray(10);
    }
    return { position: positionOf(last), sizeBytes: bytes.length, chunks: chunks() };
  }

  async stateHash(): Promise<StateHashAt | undefined> {
    const hash = this.stateHashOverride ?? (await stateHash(machineOf(this.held).capture(), nextTurn));
    return { position: positionOf(this.held.at(-1)!), stateHash: hash };
  }

  append(): never {
    throw new Error('a recovery ships nothing');
  }

  quarantine(): never {
    throw new Error('a recovery sets nothing aside');
  }

  install(): never {
    throw new Error('a recovery installs nothing');
  }

  close(): void {
    this.isDown = true;
  }
}

export function machineOf(records: readonly EncodedRecord[]): DocumentMachine {
  const machine = new DocumentMachine(COLLECTIONS, GENESIS);
  for (const { json } of records) machine.apply(JSON.parse(json) as JournalRecord<DocumentOp>);
  return machine;
}

async function snapshotOf(records: readonly EncodedRecord[]): Promise<Buffer> {
  const disk = new SimulatedDisk();
  const ports = { disk: disk.attach(), nextTurn, crashSites: NO_CRASH_SITES };
  await ports.disk.ensureDirectory(dirname(SNAPSHOT));
  await new SnapshotFile(ports, SNAPSHOT, new SnapshotCodec(COLLECTIONS)).write(machineOf(records).capture());
  return disk.image().get(SNAPSHOT)!;
}
