import type { ChainPosition, EncodedRecord } from '../../kernel/index.js';

/** Who ships: the primary of one epoch of one cluster. `primaryId` is random, made at each start. */
export interface PrimaryIdentity {
  readonly clusterId: string;
  readonly epoch: number;
  readonly primaryId: string;
}

/** What a replica says of itself, to whoever knows the cluster's secret. */
export interface ReplicaReport {
  /** Undefined while it holds nothing. */
  readonly clusterId: string | undefined;
  /** The highest epoch it has promised to follow, 0 before the first; and that epoch's primary. */
  readonly promisedEpoch: number;
  readonly promisedPrimaryId: string | undefined;
  /** Of its last durable record; `seq` 0 when it holds nothing. */
  readonly position: ChainPosition;
  /** Of its oldest record that can still be read one by one; the ones before are in its snapshot only. */
  readonly firstSeq: number;
  /**
   * False while it is empty or was set aside, and from then on until it has caught up with a primary: it may have
   * acknowledged what it does not hold any more, so it can vouch for nothing.
   */
  readonly canVote: boolean;
}

/** Records that follow `after` and one another by their hashes; none at all: a sign of life and a question. */
export interface AppendMessage {
  readonly kind: 'append';
  readonly from: PrimaryIdentity;
  readonly after: ChainPosition;
  /** `seq` of the last record that was durable at the primary when this was sent: who holds it has caught up. */
  readonly durableSeq: number;
  readonly records: readonly EncodedRecord[];
}

/** A snapshot of everything up to `position`, complete and checked on this replica's disk, but not yet in its place. */
export interface InstallMessage {
  readonly kind: 'install';
  readonly from: PrimaryIdentity;
  readonly position: ChainPosition;
}

/** What this replica holds is not what the history says: keep it aside and begin anew. */
export interface QuarantineMessage {
  readonly kind: 'set-aside';
  readonly from: PrimaryIdentity;
}

/** An opening or a recovery asks for the promise to follow no epoch below its own, and no other primary in it. */
export interface PromiseMessage {
  readonly kind: 'promise';
  readonly from: Omit<PrimaryIdentity, 'clusterId'>;
}

export type ReplicaMessage = AppendMessage | InstallMessage | QuarantineMessage | PromiseMessage;

/**
 * - `accepted`: everything up to `report.position` is durable here. Whether that lies on the primary's chain is for the
 *   primary to tell: a message that ends before this replica's position does not show it.
 * - `gap`: nothing was taken; what was sent does not begin at or before `report.position`.
 * - `diverged`: nothing was taken; the histories differ.
 * - `stale-epoch`: nothing was taken; `report.promisedEpoch` is higher, or is another primary's.
 * - `foreign-cluster`: nothing was taken; this replica belongs to `report.clusterId`.
 */
export type ReplicaVerdict = 'accepted' | 'gap' | 'diverged' | 'stale-epoch' | 'foreign-cluster';

export interface ReplicaAnswer {
  readonly verdict: ReplicaVerdict;
  readonly report: ReplicaReport;
}
