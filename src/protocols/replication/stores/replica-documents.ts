import type { CrashSites, Disk, Log, ProcessControl } from '../../../kernel/index.js';
import { DocumentFollower, type DocumentHistoryOptions } from '../../../platform/documents/index.js';
import { monotonicMs, nextTurn, systemClock, systemTimers } from '../../../platform/process/index.js';
import { NO_PROMISE, promiseAfterLoss, type ReplicaPromise } from '../core/replica.js';

/** The documents of a replica, for the protocol and for readers. */
export type ReplicaDocuments = DocumentFollower<ReplicaPromise>;

/** Recovers the documents from the replica's directory. The caller holds the lock of that directory. */
export async function openReplicaDocuments(
  own: { readonly disk: Disk; readonly crashSites: CrashSites; readonly log: Log; readonly process: ProcessControl },
  options: DocumentHistoryOptions,
): Promise<ReplicaDocuments> {
  const ports = { ...own, clock: systemClock, monotonicMs, timers: systemTimers, nextTurn };
  const documents = await DocumentFollower.open<ReplicaPromise>(ports, options);
  await vouchForNoMoreThanIsThere(documents, own.log);
  return documents;
}

/** Makes the promise durable before it settles the journal's end: after that, only the promise shows the loss. */
async function vouchForNoMoreThanIsThere(documents: ReplicaDocuments, log: Log): Promise<void> {
  const { missing, position, promise = NO_PROMISE } = documents;
  // A replica can vote only after it has held records, so an empty replica that can vote has lost them.
  if (missing === undefined && (position.seq > 0 || !promise.canVote)) return;
  log.warn('records of this replica are missing: it fetches them from the app and cannot vote until then', {
    missing: missing?.description ?? 'all of them',
  });
  await documents.keepPromise(promiseAfterLoss(promise, missing?.expected));
  if (missing !== undefined) await documents.settleEnd();
}
