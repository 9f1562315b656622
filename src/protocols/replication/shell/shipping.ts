import type { ChainPosition, EncodedRecord, CopyableHistory } from '../../../kernel/index.js';
import type { PrimaryIdentity, ReplicaAnswer } from '../messages.js';
import { RecordTail } from './record-tail.js';
import type { ReplicaLink } from './replica-link.js';

export interface AppendOptions {
  readonly timeoutMs: number;
  /** Ends the message at this record even when there are more; the replica then keeps its state for comparison. */
  readonly auditAt: number | undefined;
}

/** Limit of the records kept in memory; the journal serves a replica that is further behind. */
const TAIL_CHARACTERS = 16 * 1024 * 1024;
const SNAPSHOT_IDLE_MS = 10_000;

/** Sends to a replica from memory where the records are new enough, else from the journal, else from a snapshot. */
export class Shipping {
  private readonly tail = new RecordTail(TAIL_CHARACTERS);
  /** Sent snapshots by replica; `release` closes each when its replica no longer needs the records after it. */
  private readonly sent = new Map<string, { close(): Promise<void> }>();

  constructor(
    private readonly history: CopyableHistory,
    private readonly options: { readonly primaryUrl: () => string; readonly batchBytes: number },
  ) {}

  /** `records` have become durable here, in order. */
  remember(records: readonly EncodedRecord[]): void {
    this.tail.push(records);
  }

  /** Sends the durable records after `afterSeq` that fit in one message; if they are gone, it only asks where the replica is. */
  async append(
    link: ReplicaLink,
    from: PrimaryIdentity,
    afterSeq: number,
    { timeoutMs, auditAt }: AppendOptions,
  ): Promise<ReplicaAnswer> {
    const end = this.history.position;
    const { after, records } = (await this.read(afterSeq, auditAt ?? end.seq)) ?? { after: end, records: [] };
    const audit = auditAt !== undefined && (records.at(-1)?.seq ?? after.seq) === auditAt;
    const message = { from, after, durableSeq: end.seq, records, primaryUrl: this.options.primaryUrl(), audit };
    return link.append(message, timeoutMs);
  }

  /** Sends the newest snapshot, and keeps the records after it readable until `release`. */
  async snapshot(link: ReplicaLink, from: PrimaryIdentity): Promise<ReplicaAnswer> {
    const snapshot = await this.history.openSnapshot();
    if (snapshot === undefined) throw new Error('the records are gone and there is no snapshot');
    this.release(link.name);
    this.sent.set(link.name, snapshot);
    return link.install(from, snapshot, SNAPSHOT_IDLE_MS);
  }

  /** Closes the snapshot that was sent to the replica, which no longer needs the records after it. */
  release(name: string): void {
    const snapshot = this.sent.get(name);
    this.sent.delete(name);
    void snapshot?.close();
  }

  /** The log position of this history at `seq`; `gone` when the record is only in a snapshot, undefined beyond the end. */
  async positionAt(seq: number): Promise<ChainPosition | 'gone' | undefined> {
    if (seq > this.history.position.seq) return undefined;
    return this.tail.positionAt(seq) ?? (await this.history.positionAt(seq));
  }

  /** The newest records are in memory, also when a snapshot has just replaced them on the disk. */
  canShipAfter(seq: number): boolean {
    return seq + 1 >= this.history.firstSeq || this.tail.positionAt(seq) !== undefined;
  }

  private async read(
    afterSeq: number,
    lastSeq: number,
  ): Promise<{ readonly after: ChainPosition; readonly records: readonly EncodedRecord[] } | undefined> {
    const after = await this.positionAt(afterSeq);
    if (after === undefined || after === 'gone') return undefined;
    const inMemory = this.tail.after(afterSeq, lastSeq, this.options.batchBytes);
    if (inMemory !== undefined) return { after, records: inMemory };
    if (afterSeq >= lastSeq) return { after, records: [] };
    const read = await this.history.readFrom(afterSeq + 1, this.options.batchBytes);
    return read === 'gone' ? undefined : { after, records: read.filter(({ seq }) => seq <= lastSeq) };
  }
}
