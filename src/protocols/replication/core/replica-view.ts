/**
 * What a primary thinks of one replica, and how that changes.
 *
 * Invariant: only an append that covered everything durable at its sending brings a replica in sync, never one whose data
 * was re-made and not compared since; any silence takes it out. The table is checked for this when it is loaded.
 */

/** As CONTRACT's `/replication/status` shows them. */
export type ReplicaCondition = 'in-sync' | 'catching-up' | 'snapshot' | 'quarantined' | 'unreachable';

export interface ReplicaView {
  readonly name: string;
  readonly condition: ReplicaCondition;
  /** Highest `seq` that is durable there and on the primary's own chain, as far as known in this epoch; 0: none. */
  readonly ackedSeq: number;
  /** One message is under way at most. A comparison of state hashes counts as one. */
  readonly isBusy: boolean;
  readonly isVerifying: boolean;
  /** Its data was re-made, or it had lost some: until state hashes agree, its acknowledgements count for nothing. */
  readonly mustVerify: boolean;
  /** What was durable here when the message under way, or the last one, was sent. */
  readonly sentDurableSeq: number;
  /** How often its data was found to be other than the history in this epoch. */
  readonly timesCondemned: number;
  /** One line; undefined once it is in sync. */
  readonly lastError: string | undefined;
}

/** What an answer, or its absence, shows. */
export type Finding =
  /** It holds all that was durable here when the message was sent. */
  | 'level'
  | 'behind'
  /** Behind what it had acknowledged: its disk went back in time. */
  | 'has-forgotten'
  /** The records that it needs next are in a snapshot only. */
  | 'too-far-behind'
  /** It holds another history, or another state. */
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
  // One message may not hold all of a burst; that is no reason to leave.
  'in-sync': { ...ON_THE_WAY, behind: 'in-sync' },
  'catching-up': ON_THE_WAY,
  // The answer to a snapshot is none to an append. One that is of no use is not sent again at once.
  snapshot: { ...ON_THE_WAY, level: 'catching-up', 'too-far-behind': 'unreachable' },
  // Until it says that it is empty it stays condemned, however long it is silent.
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

/** The view after a finding; `error` says what was found, where it is one. */
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

/** A replica that differs however often it is made anew would fill its disk with what it sets aside. */
export const MAX_QUARANTINES = 3;

/** Nobody touches it any more in this epoch; a person has to look. */
export function isLeftAlone(view: ReplicaView): boolean {
  return view.condition === 'quarantined' && view.timesCondemned > MAX_QUARANTINES;
}
