/**
 * Decides whether a primary may open its history for writing, and in which epoch.
 *
 * Invariant: a primary that opens holds every write that was ever confirmed under `all` or `majority`, and no other primary can
 * confirm one any more. Therefore the replicas first promise the new epoch and report their position only in the same answer (the
 * first phase of Paxos, Lamport 1998): an older primary that still runs may overtake a position reported before the promise.
 */
import { logPositionText, type ChainPosition, isAheadOf } from '../../../kernel/index.js';
import type { ReplicaReport } from '../messages.js';

/** The state of the primary's own disk before its first append. */
export interface OwnHistory {
  readonly clusterId: string | undefined;
  readonly position: ChainPosition;
  /** Random, made at this start. */
  readonly primaryId: string;
  /** Replicas whose requested records do not follow `position`, or can no longer be read one by one. */
  readonly forks: readonly string[];
  /** Describes, for a person, records that were durable here beyond `position` and are lost. Absent when none are. */
  readonly missing?: string | undefined;
}

export type HandshakeDecision =
  /** Too few replicas have answered to be sure that nothing is missing here. */
  | { readonly kind: 'wait'; readonly heard: number; readonly needed: number }
  /** No replica that answered holds the missing records, and a silent replica may. */
  | { readonly kind: 'wait-for-all'; readonly missing: string }
  /** `replica` holds more of what may be this history: fetch what follows our position, then ask again. */
  | { readonly kind: 'pull'; readonly replica: string }
  /** Send all replicas the promise message of this epoch; the reports in their answers replace the earlier ones. */
  | { readonly kind: 'ask-promises'; readonly epoch: number }
  | { readonly kind: 'refuse'; readonly reason: string }
  | { readonly kind: 'open'; readonly epoch: number };

export type Heard = Readonly<Record<string, ReplicaReport>>;

const REMEDY = 'Run `npm run recover:from-replicas`.';

/** How many replicas must answer so that one of them holds any acknowledged write: n - MIN_INSYNC + 1, at most n. */
export function quorumOf(replicas: number, minInSync: number): number {
  return Math.min(replicas, replicas - minInSync + 1);
}

/**
 * `heard` holds the newest report of each replica that answered in this handshake. The primary asks for promises only after plain
 * reports showed no reason to refuse, because a promise stops the primary that runs now.
 */
export function decideHandshake(own: OwnHistory, heard: Heard, replicas: number, minInSync: number): HandshakeDecision {
  const reason = refusalOf(own, heard);
  if (reason !== undefined) return { kind: 'refuse', reason };
  const missing = missingFrom(own, heard, replicas, minInSync);
  if (missing) return missing;
  const ahead = mostAdvanced(heard);
  if (ahead && isAheadOf(ahead.report.position, own.position)) return { kind: 'pull', replica: ahead.name };
  // A quorum without these records shows that they were never confirmed; only all replicas together show that they are lost.
  if (own.missing !== undefined) {
    if (Object.keys(heard).length < replicas) return { kind: 'wait-for-all', missing: own.missing };
    return { kind: 'refuse', reason: `${own.missing}; no replica holds the missing records.` };
  }
  const highest = Object.values(heard).reduce((epoch, { promisedEpoch }) => Math.max(epoch, promisedEpoch), 0);
  const newest = Object.entries(heard).filter(([, { promisedEpoch }]) => promisedEpoch === highest);
  const ours = newest.filter(([, { promisedPrimaryId }]) => promisedPrimaryId === own.primaryId);
  const isNewest = highest > own.position.epoch;
  if (isNewest && !missingFrom(own, Object.fromEntries(ours), replicas, minInSync)) {
    return { kind: 'open', epoch: highest };
  }
  // A replica that promised this epoch to another primary never promises it to us, so only a higher epoch can find a quorum.
  const canContinue = isNewest && newest.length === ours.length;
  const epoch = canContinue ? highest : Math.max(highest, own.position.epoch) + 1;
  return replicas === 0 ? { kind: 'open', epoch } : { kind: 'ask-promises', epoch };
}

function refusalOf(own: OwnHistory, heard: Heard): string | undefined {
  for (const [name, { clusterId, position }] of Object.entries(heard)) {
    if (clusterId === undefined) continue;
    if (own.clusterId === undefined && own.missing === undefined) {
      return `This data directory is empty, but replica ${name} holds data (up to ${logPositionText(position)}). ${REMEDY}`;
    }
    if (own.clusterId !== undefined && clusterId !== own.clusterId) {
      return `Replica ${name} holds the data of another cluster (${clusterId}; this one is ${own.clusterId}). ${REMEDY}`;
    }
    if (!isAheadOf(position, own.position)) continue;
    // A newer epoch at a number that is taken here too: a primary that had lost wrote the record here.
    if (position.seq <= own.position.seq || own.forks.includes(name)) {
      return `Replica ${name} holds a newer history (up to ${logPositionText(position)}) that does not continue this one (up to ${logPositionText(own.position)}). ${REMEDY}`;
    }
  }
  return undefined;
}

/**
 * Undefined when enough replicas have answered. A replica that cannot vouch may have forgotten what it acknowledged: it counts
 * only when every replica has answered, or when neither this primary nor any replica holds anything.
 */
function missingFrom(
  own: OwnHistory,
  heard: Heard,
  replicas: number,
  minInSync: number,
): Extract<HandshakeDecision, { kind: 'wait' }> | undefined {
  const reports = Object.values(heard);
  const quorum = quorumOf(replicas, minInSync);
  const isNew =
    own.clusterId === undefined &&
    own.missing === undefined &&
    reports.every(({ clusterId }) => clusterId === undefined);
  const voters = reports.filter(({ canVote }) => canVote || isNew).length;
  if (voters >= quorum || reports.length >= replicas) return undefined;
  return { kind: 'wait', heard: reports.length, needed: reports.length >= quorum ? replicas : quorum };
}

/** Undefined when no replica holds anything. Among equals it takes the first by name. */
export function mostAdvanced(heard: Heard): { readonly name: string; readonly report: ReplicaReport } | undefined {
  let best: { readonly name: string; readonly report: ReplicaReport } | undefined;
  for (const name of Object.keys(heard).sort()) {
    const report = heard[name];
    if (report?.clusterId === undefined) continue;
    if (!best || isAheadOf(report.position, best.report.position)) best = { name, report };
  }
  return best;
}
