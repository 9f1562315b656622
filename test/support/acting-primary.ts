import type { EncodedRecord } from '../../src/kernel/index.js';
import {
  HttpReplicaLink,
  type PrimaryIdentity,
  type ReplicaAnswer,
  replicationAuthorization,
  type ShippedAppend,
} from '../../src/protocols/replication/index.js';
import { GENESIS_POSITION, positionOf, primaryOf, recordsAfter } from './replication-world.js';

export const CLUSTER_SECRET = 'a secret for tests only';

const PATIENT_MS = 30_000;

/** The test acts as the primary of one replica: it creates the history and ships it. */
export class ActingPrimary {
  readonly records: EncodedRecord[] = [];
  readonly link: HttpReplicaLink;
  /** The address to which the replica forwards writes. */
  url = 'http://127.0.0.1:1';

  constructor(
    replicaUrl: string,
    readonly identity: PrimaryIdentity = primaryOf(),
    secret = CLUSTER_SECRET,
  ) {
    const { hostname, port } = new URL(replicaUrl);
    this.link = new HttpReplicaLink({ host: hostname, port: Number(port) }, replicationAuthorization(secret));
    const { clusterId, primaryId } = identity;
    this.write({ type: 'epoch-started', clusterId, primaryId });
  }

  /** The position of the last record. */
  get commit(): string {
    const { epoch, seq } = this.records.at(-1) ?? GENESIS_POSITION;
    return `${String(epoch)}.${String(seq)}`;
  }

  /** Appends `op` to the history without shipping it. */
  write(op: unknown): EncodedRecord {
    const last = this.records.at(-1);
    const after = last ? positionOf(last) : GENESIS_POSITION;
    this.records.push(...recordsAfter(after, this.identity.epoch, [op], 1_000 + after.seq));
    return this.records.at(-1)!;
  }

  put(id: number, name: string): EncodedRecord {
    const fields = { name, email: `${name}@example.org` };
    const operation = { id: `operation-${String(this.records.length)}` };
    return this.write({ type: 'put', collection: 'customers', id, fields, operation });
  }

  /** Ships all records after record `afterSeq`. */
  ship(afterSeq = 0, more: Partial<ShippedAppend> = {}): Promise<ReplicaAnswer> {
    const after = this.records[afterSeq - 1];
    return this.link.append(
      {
        from: this.identity,
        after: after ? positionOf(after) : GENESIS_POSITION,
        durableSeq: this.records.length,
        records: this.records.slice(afterSeq),
        primaryUrl: this.url,
        audit: false,
        ...more,
      },
      PATIENT_MS,
    );
  }
}
