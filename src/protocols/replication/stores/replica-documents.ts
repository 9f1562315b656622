import { AppError, type CrashSites, type Disk, type Log, type ProcessControl } from '../../../kernel/index.js';
import {
  DocumentFollower,
  type DocumentHistoryOptions,
  type DocumentReads,
  stateHash,
} from '../../../platform/documents/index.js';
import { nextTurn, systemClock, systemTimers } from '../../../platform/process/index.js';
import { NO_PROMISE, promiseAfterLoss, type ReplicaPromise, reportOf, type ReplicaState } from '../core/replica.js';
import type { ShippedRecord } from '../messages.js';
import type { CapturedState, ReplicaStore } from '../shell/replica-store.js';
import type { ReplicaHistory } from '../shell/replication-routes.js';

type Position = ReplicaState['position'];

type Reads = Pick<DocumentReads, 'find' | 'page'>;

/** The documents that this replica holds, as the protocol and as readers see them. */
export class ReplicaDocuments implements ReplicaStore, ReplicaHistory, Reads {
  private constructor(private readonly follower: DocumentFollower<ReplicaPromise>) {}

  /** Recovers what is in the replica's directory, whose lock the caller holds. */
  static async open(
    own: { readonly disk: Disk; readonly crashSites: CrashSites; readonly log: Log; readonly process: ProcessControl },
    options: DocumentHistoryOptions,
  ): Promise<ReplicaDocuments> {
    const follower = await DocumentFollower.open<ReplicaPromise>(
      { ...own, clock: systemClock, timers: systemTimers, nextTurn },
      options,
    );
    await vouchForNoMoreThanIsThere(follower, own.log);
    return new ReplicaDocuments(follower);
  }

  state(): ReplicaState {
    const { clusterId, position, firstSeq, promise } = this.follower;
    return { ...(promise ?? NO_PROMISE), clusterId, position, firstSeq };
  }

  report(): ReturnType<ReplicaHistory['report']> {
    return reportOf(this.state());
  }

  keepPromise(promise: ReplicaPromise): Promise<void> {
    return this.follower.keepPromise(promise);
  }

  follow(records: readonly ShippedRecord[]): Promise<void> {
    return this.follower.follow(records);
  }

  async quarantine(): Promise<void> {
    await this.follower.quarantine(systemClock.nowMs());
  }

  async receiveSnapshot(position: Position, chunks: AsyncIterable<Buffer>): Promise<void> {
    const received = await this.follower.receiveSnapshot(chunks);
    if (received.seq !== position.seq || received.hash !== position.hash) {
      const message = `what came is the snapshot of record ${String(received.seq)}, not of ${String(position.seq)}`;
      throw new AppError('data-corrupt', message, { retry: 'safe' });
    }
  }

  /** What was received last: `receiveSnapshot` has seen to it that it is the one of the position. */
  async install(): Promise<void> {
    await this.follower.install();
  }

  captureState(): CapturedState {
    const captured = this.follower.captureState();
    const { epoch, seq, hash } = captured.meta;
    return { position: { epoch, seq, hash }, stateHash: () => stateHash(captured, nextTurn) };
  }

  readAfter(seq: number, maxBytes: number): ReturnType<ReplicaHistory['readAfter']> {
    return this.follower.readFrom(seq + 1, maxBytes);
  }

  async snapshot(): ReturnType<ReplicaHistory['snapshot']> {
    const opened = await this.follower.openSnapshot();
    if (opened === undefined) return undefined;
    const { position, sizeBytes } = opened;
    return { position, size: sizeBytes, chunks: opened.chunks, close: () => opened.close() };
  }

  find(...which: Parameters<Reads['find']>): ReturnType<Reads['find']> {
    return this.follower.find(...which);
  }

  page(...which: Parameters<Reads['page']>): ReturnType<Reads['page']> {
    return this.follower.page(...which);
  }

  close(): Promise<void> {
    return this.follower.close();
  }
}

/** The promise first: once the journal's end is settled nothing tells of the loss but that. */
async function vouchForNoMoreThanIsThere(follower: DocumentFollower<ReplicaPromise>, log: Log): Promise<void> {
  const { missing, position, promise = NO_PROMISE } = follower;
  // Only a replica that holds something ever could vouch.
  if (missing === undefined && (position.seq > 0 || !promise.canVote)) return;
  log.warn(
    'records that were here are missing: they are fetched from the app, and until then this replica has no vote',
    {
      missing: missing?.description ?? 'all of them',
    },
  );
  await follower.keepPromise(promiseAfterLoss(promise, missing?.expected));
  if (missing !== undefined) await follower.settleEnd();
}
