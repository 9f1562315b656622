import type { CrashSites, Disk, Log, ProcessControl } from '../../../kernel/index.js';
import { DocumentFollower, type DocumentHistoryOptions } from '../../../platform/documents/index.js';
import { nextTurn, systemClock, systemTimers } from '../../../platform/process/index.js';
import { NO_PROMISE, promiseAfterLoss, type ReplicaPromise } from '../core/replica.js';

/** The documents that a replica holds, as the protocol and as readers see them. */
export type ReplicaDocuments = DocumentFollower<ReplicaPromise>;

/** Recovers what is in the replica's directory, whose lock the caller holds. */
export async function openReplicaDocuments(
  own: { readonly disk: Disk; readonly crashSites: CrashSites; readonly log: Log; readonly process: ProcessControl },
  options: DocumentHistoryOptions,
): Promise<ReplicaDocuments> {
  const ports = { ...own, clock: systemClock, timers: systemTimers, nextTurn };
  const documents = await DocumentFollower.open<ReplicaPromise>(ports, options);
  await vouchForNoMoreThanIsThere(documents, own.log);
  return documents;
}

/** The promise first: once the journal's end is settled nothing tells of the loss but that. */
async function vouchForNoMoreThanIsThere(documents: ReplicaDocuments, log: Log): Promise<void> {
  const { missing, position, promise = NO_PROMISE } = documents;
  // Only a replica that holds something ever could vouch.
  if (missing === undefined && (position.seq > 0 || !promise.canVote)) return;
  log.warn(
    'records that were here are missing: they are fetched from the app, and until then this replica has no vote',
    {
      missing: missing?.description ?? 'all of them',
    },
  );
  await documents.keepPromise(promiseAfterLoss(promise, missing?.expected));
  if (missing !== undefined) await documents.settleEnd();
}
