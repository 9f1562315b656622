/**
 * A primary's view of one replica, and how that view changes.
 *
 * Invariant: a replica becomes in sync only by an append that covered everything durable when it was sent, and never with rebuilt
 * data that was not compared since; any silence takes it out. The table is checked for this when it is loaded.
 */

/** The names that `/replication/status` shows (CONTRACT). */
export type ReplicaCondition = 'in-sync' | 'catching-up' | 'snapshot' | 'quarantined' | 'unreachable';

export interface ReplicaView {
  readonly name: string;
  readonly condition: ReplicaCondition;
  /** Highest `seq` known in this epoch to be durable there and on the primary's own chain; 0 when none is. */
  readonly ackedSeq: number;
  /** At most one message is under way. A comparison of state hashes counts as one. */
  readonly isBusy: boolean;
  readonly isVerifying: boolean;
  /** The replica rebuilt or lost data: until state hashes agree, its acknowledgements do not count. */
  readonly mustVerify: boolean;
  /** The last durable record here when the primary sent its latest message. */
  readonly sentDurableSeq: number;
  /** How often in this epoch its data differed from the history. */
  readonly timesCondemned: number;
  /** One line; undefined once the replica is in sync. */
  readonly lastError: string | undefined;
}

/** The finding of an answer, or of its absence. */
export type Finding =
  /** The replica holds everything that was durable here when the message was sent. */
  | 'level'
  | 'behind'
  /** The replica is behind its own acknowledgement: its disk went back in time. */
  | 'has-forgotten'
  /** The records that the replica needs next are only in a snapshot. */
  | 'too-far-behind'
  /** The replica holds another history, or another state. */
  | 'differs'
  | 'silent';

type Row = Readonly<Record<Finding, ReplicaCondition>>;

const ON_THE_WAY: Row = {
  level: 'in-sync',
  behind: 'catching-up',
  'has-forgotten': 'catching-up',
  'too-far-behind': 'snapshot',
  differs: 'quarantined',
  silent: 'unreachable',
};

export const CONDITIONS: Readonly<Record<ReplicaCondition, Row>> = checked({
  // One message may not hold a whole burst; that is no reason to leave the in-sync set.
  'in-sync': { ...ON_THE_WAY, behind: 'in-sync' },
  'catching-up': ON_THE_WAY,
  // An answer to a snapshot does not answer an append. A snapshot that did not help is not sent again at once.
  snapshot: { ...ON_THE_WAY, level: 'catching-up', 'too-far-behind': 'unreachable' },
  // The replica stays condemned until it reports that it is empty, however long it is silent.
  quarantined: { ...ON_THE_WAY, level: 'catching-up', silent: 'quarantined' },
  unreachable: ON_THE_WAY,
});

function checked(table: Record<ReplicaCondition, Row>): Record<ReplicaCondition, Row> {
  for (const [from, row] of Object.entries(table)) {
    for (const [finding, to] of Object.entries(row)) {
      const joins = to === 'in-sync' && from !== 'in-sync';
      if (joins && finding !== 'level') throw new Error(`${from} must not become in-sync when ${finding}.`);
      const mustLeave = finding === 'silent' || finding === 'has-forgotten' || finding === 'too-far-behind';
      if (mustLeave && to === 'in-sync') throw new Error(`${from} must not be in-sync when ${finding}.`);
      if (finding === 'differs' && to !== 'quarantined') throw new Error(`${from} must be quarantined.`);
    }
  }
  return table;
}

export function newView(name: string): ReplicaView {
  return {
    name,
    condition: 'unreachable',
    ackedSeq: 0,
    isBusy: false,
    isVerifying: false,
    mustVerify: false,
    sentDurableSeq: 0,
    timesCondemned: 0,
    lastError: undefined,
  };
}

const MAX_ERROR_LENGTH = 200;

/** Returns the view after a finding; `error` describes the finding when it is a fault. */
export function moved(view: ReplicaView, finding: Finding, error?: string): ReplicaView {
  const condition = CONDITIONS[view.condition][finding];
  const isCondemned = condition === 'quarantined' && view.condition !== 'quarantined';
  const line = error?.replace(/\s+/g, ' ').trim().slice(0, MAX_ERROR_LENGTH);
  return {
    ...view,
    condition,
    ackedSeq: finding === 'differs' ? 0 : view.ackedSeq,
    mustVerify:
      view.mustVerify ||
      finding === 'has-forgotten' ||
      finding === 'differs' ||
      (view.condition === 'snapshot' && finding !== 'silent'),
    timesCondemned: view.timesCondemned + (isCondemned ? 1 : 0),
    lastError: condition === 'in-sync' ? undefined : (line ?? view.lastError),
  };
}

/** More quarantines of a replica that differs every time would fill its disk. */
export const MAX_QUARANTINES = 3;

/** The primary leaves this replica alone for the rest of the epoch; a person has to look. */
export function isLeftAlone(view: ReplicaView): boolean {
  return view.condition === 'quarantined' && view.timesCondemned > MAX_QUARANTINES;
}
