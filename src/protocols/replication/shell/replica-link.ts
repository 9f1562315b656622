import type { EncodedRecord, SnapshotStream } from '../../../kernel/index.js';
import type { PrimaryIdentity, PromiseMessage, ReplicaAnswer, ReplicaReport } from '../messages.js';
import type { ShippedAppend, StateHashAt } from './wire.js';

/**
 * One replica, for callers that know the cluster's secret: the primary, its handshake, a recovery. Every message may be sent
 * again. `timeoutMs` limits the time from the call to the whole answer; for a snapshot's bytes it limits the time without
 * progress.
 *
 * A rejected promise does not show what the replica did. Its AppError has one line for people: `not-ready` (nothing listens, or
 * the replica starts or stops), `outcome-unknown` (no answer in time, or a broken connection), `unauthorized` (another cluster
 * secret), `internal` (an unexpected status) or `malformed-request` (an answer that makes no sense).
 */
export interface ReplicaLink {
  /** `host:port`. */
  readonly name: string;
  report(timeoutMs: number): Promise<ReplicaReport>;
  /** `accepted` means that all `records` are durable there. They have at most `APPEND_LIMIT_BYTES`. */
  append(message: ShippedAppend, timeoutMs: number): Promise<ReplicaAnswer>;
  /** `accepted` means that the replica has kept its data aside and is empty. */
  quarantine(from: PrimaryIdentity, timeoutMs: number): Promise<ReplicaAnswer>;
  /** Reads `chunks` once. `accepted` means that everything up to the snapshot's position, or more, is durable there. */
  install(from: PrimaryIdentity, snapshot: SnapshotStream, timeoutMs: number): Promise<ReplicaAnswer>;
  /** `accepted` means that the replica follows no lower epoch any more, even after a restart. */
  promise(from: PromiseMessage['from'], timeoutMs: number): Promise<ReplicaAnswer>;
  /**
   * The records after `afterSeq`, about `maxBytes` of them but at least one; empty when there are none. Each follows the one
   * before it; the caller checks that the first continues its own history. `gone` means that the first is only in a snapshot.
   */
  records(afterSeq: number, maxBytes: number, timeoutMs: number): Promise<readonly EncodedRecord[] | 'gone'>;
  /** Undefined when all its records can be read one by one. Reading `chunks` fails when the stream is cut short. */
  snapshot(timeoutMs: number): Promise<SnapshotStream | undefined>;
  /** Its state hash after record `seq`, where an append with `audit` ended, or the current one; undefined when none was kept. */
  stateHash(seq: number | undefined, timeoutMs: number): Promise<StateHashAt | undefined>;
  /** Aborts all calls under way. */
  close(): void;
}
