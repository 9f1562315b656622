/**
 * Decides which replica's copy restores a primary that lost its disk.
 *
 * Invariant: the chosen copy holds every write that was ever confirmed under `all` or `majority`. Any such write is on MIN_INSYNC
 * replicas, so one of the quorum that can vouch holds it. A history that ends in a newer epoch, or farther in the same epoch,
 * holds it too, because its primary opened with it. Length alone shows nothing: a dead tail may be longer.
 */
import type { ChainPosition } from '../../../kernel/index.js';
import { type Heard, mostAdvanced, quorumOf } from './handshake.js';

export type RecoveryChoice =
  | { readonly kind: 'wait'; readonly promised: number; readonly needed: number }
  | { readonly kind: 'restore'; readonly replica: string; readonly position: ChainPosition; readonly clusterId: string }
  | { readonly kind: 'refuse'; readonly reason: string };

/** `promised` holds the reports that came with a durable promise of the recovery's epoch. */
export function chooseRecovery(promised: Heard, replicas: number, minInSync: number): RecoveryChoice {
  const entries = Object.entries(promised);
  const needed = quorumOf(replicas, minInSync);
  const voters = entries.filter(([, { canVote }]) => canVote);
  if (voters.length < needed) {
    if (entries.length < replicas) return { kind: 'wait', promised: voters.length, needed };
    const reason =
      `Only ${voters.length} of ${replicas} replicas can vouch for what they hold and ${needed} are needed: ` +
      'a confirmed write may be on none of them. Nothing was changed.';
    return { kind: 'refuse', reason };
  }
  const [first, second] = [...new Set(entries.flatMap(([, { clusterId }]) => clusterId ?? []))];
  if (second !== undefined) {
    return { kind: 'refuse', reason: `The replicas hold data of different clusters (${first ?? 'none'}, ${second}).` };
  }
  // A replica that cannot vouch may still hold the most. Left out, it would be ahead of the restored primary, which could not
  // open.
  const winner = mostAdvanced(promised);
  if (winner?.report.clusterId === undefined) return { kind: 'refuse', reason: 'No replica holds any data.' };
  const { name, report } = winner;
  return { kind: 'restore', replica: name, position: report.position, clusterId: winner.report.clusterId };
}
