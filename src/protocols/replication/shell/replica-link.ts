import type { EncodedRecord, SnapshotStream } from '../../../kernel/index.js';
import type { PrimaryIdentity, PromiseMessage, ReplicaAnswer, ReplicaReport } from '../messages.js';
import type { ShippedAppend, StateHashAt } from './wire.js';

/**
 * One replica, as who knows the cluster's secret speaks to it: the primary, its start-up questions, a recovery. Every
 * message may be sent again. `timeoutMs` counts from the call to the whole answer; where a snapshot's bytes travel it is
 * how long nothing may happen.
 *
 * A promise that is rejected tells nothing of what the replica did. Its AppError has one line to be shown to a person:
 * `not-ready` (nothing is listening, or it is starting or stopping), `outcome-unknown` (no answer in time, or a broken
 * connection), `unauthorized` (another cluster secret), `internal` (an unexpected status) or `malformed-request` (an
 * answer that makes no sense).
 */
export interface ReplicaLink {
  /** `host:port`. */
  readonly name: string;
  report(timeoutMs: number): Promise<ReplicaReport>;
  /** `accepted` when it resolves: all of `records` are durable there. At most `APPEND_LIMIT_BYTES` of them. */
  append(message: ShippedAppend, timeoutMs: number): Promise<ReplicaAnswer>;
  /** `accepted`: its data is kept aside, and it is empty. */
  quarantine(from: PrimaryIdentity, timeoutMs: number): Promise<ReplicaAnswer>;
  /** Reads `chunks` once. `accepted`: everything up to the snapshot's position, or more, is durable there. */
  install(from: PrimaryIdentity, snapshot: SnapshotStream, timeoutMs: number): Promise<ReplicaAnswer>;
  /** `accepted`: it follows no lower epoch any more, also after a restart. */
  promise(from: PromiseMessage['from'], timeoutMs: number): Promise<ReplicaAnswer>;
  /**
   * The records behind `afterSeq`, about `maxBytes` of them but at least one; none when it has no more. Each follows the
   * one before it; whether the first follows what the caller holds is the caller's to check. `gone`: the first of them is
   * only in its snapshot.
   */
  records(afterSeq: number, maxBytes: number, timeoutMs: number): Promise<readonly EncodedRecord[] | 'gone'>;
  /** Undefined when it has none: all its records can be read one by one. Reading `chunks` fails when it is cut short. */
  snapshot(timeoutMs: number): Promise<SnapshotStream | undefined>;
  /**
   * Its state hash as it was behind `seq`, where an append with `audit` ended, or as it is now, once it is computed.
   * Undefined when it was not captured or was forgotten.
   */
  stateHash(seq: number | undefined, timeoutMs: number): Promise<StateHashAt | undefined>;
  /** Breaks off what is under way. */
  close(): void;
}
