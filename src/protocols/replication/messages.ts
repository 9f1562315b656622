import type { ChainPosition, EncodedRecord } from '../../kernel/index.js';

/** The primary of one epoch of one cluster. `primaryId` is random, made at each start. */
export interface PrimaryIdentity {
  readonly clusterId: string;
  readonly epoch: number;
  readonly primaryId: string;
}

/** A replica's report to callers that know the cluster's secret. */
export interface ReplicaReport {
  readonly clusterId: string | undefined;
  /** The highest epoch that the replica has promised to follow, 0 before the first; and the primary of that epoch. */
  readonly promisedEpoch: number;
  readonly promisedPrimaryId: string | undefined;
  /** Position of the last durable record; `seq` is 0 when the replica holds nothing. */
  readonly position: ChainPosition;
  /** Its oldest record that can still be read one by one; the older ones are only in its snapshot. */
  readonly firstSeq: number;
  /**
   * False while the replica is empty or quarantined, and until it has caught up with a primary after that: it may have
   * acknowledged records that it no longer holds, so it cannot vouch for anything.
   */
  readonly canVote: boolean;
}

/** Records that follow `after` and one another by their hashes. Without records it is a heartbeat and a question. */
export interface AppendMessage {
  readonly kind: 'append';
  readonly from: PrimaryIdentity;
  readonly after: ChainPosition;
  /** `seq` of the last record that was durable at the primary when it sent this; a replica that holds it has caught up. */
  readonly durableSeq: number;
  readonly records: readonly EncodedRecord[];
}

/** A snapshot of everything up to `position`, complete and checked on this replica's disk, but not yet installed. */
export interface InstallMessage {
  readonly kind: 'install';
  readonly from: PrimaryIdentity;
  readonly position: ChainPosition;
}

/** The replica's data differs from the history: the replica keeps it aside and begins empty. */
export interface QuarantineMessage {
  readonly kind: 'set-aside';
  readonly from: PrimaryIdentity;
}

/** A handshake or a recovery asks for the promise to follow no lower epoch, and no other primary in its own. */
export interface PromiseMessage {
  readonly kind: 'promise';
  readonly from: Omit<PrimaryIdentity, 'clusterId'>;
}

export type ReplicaMessage = AppendMessage | InstallMessage | QuarantineMessage | PromiseMessage;

/**
 * - `accepted`: everything up to `report.position` is durable here. The primary decides whether that lies on its chain, because a
 *   message that ends before this position does not show it.
 * - `gap`: nothing was stored; the records do not begin at or before `report.position`.
 * - `diverged`: nothing was stored; the histories differ.
 * - `stale-epoch`: nothing was stored; `report.promisedEpoch` is higher, or belongs to another primary.
 * - `foreign-cluster`: nothing was stored; this replica belongs to `report.clusterId`.
 */
export type ReplicaVerdict = 'accepted' | 'gap' | 'diverged' | 'stale-epoch' | 'foreign-cluster';

export interface ReplicaAnswer {
  readonly verdict: ReplicaVerdict;
  readonly report: ReplicaReport;
}
