/**
 * How a participant of two-phase commit reacts to a message, independent of its store. Invariant: a promise is kept until its
 * decision arrives; a decision never changes; a prepare that arrives after its abort promises nothing. A check at load time
 * enforces this for the table.
 */

/** The durable state of one transaction. `unknown` includes transactions that were carried out and later forgotten. */
export type ParticipantState = 'unknown' | 'prepared' | 'committed' | 'aborted';

/** `prepare` means work that the store can do. For work that it cannot do, the store votes no and keeps nothing. */
export type ParticipantMessage = 'prepare' | 'commit' | 'abort';

export interface ParticipantDecision {
  readonly state: ParticipantState;
  /**
   * The change that the store makes durable before it answers. `commit` includes the promised work, in one step. `tombstone`:
   * nothing was promised, but the prepare may still arrive. A tombstone must last as long as a message may be late: in memory
   * where messages end with the process, on disk elsewhere.
   */
  readonly keep: 'promise' | 'commit' | 'abort' | 'tombstone' | undefined;
  /** `yes`, `no`: the vote. `done` carries the acknowledgement if known. `contradiction`: two decisions arrived; do nothing. */
  readonly answer: 'yes' | 'no' | 'done' | 'contradiction';
}

type Row = Readonly<Record<ParticipantMessage, ParticipantDecision>>;

const PARTICIPANT: Readonly<Record<ParticipantState, Row>> = checked({
  unknown: {
    prepare: { state: 'prepared', keep: 'promise', answer: 'yes' },
    // The transaction was carried out and forgotten: a row says `committed` only where all participants had promised.
    commit: { state: 'unknown', keep: undefined, answer: 'done' },
    abort: { state: 'aborted', keep: 'tombstone', answer: 'done' },
  },
  prepared: {
    prepare: { state: 'prepared', keep: undefined, answer: 'yes' },
    commit: { state: 'committed', keep: 'commit', answer: 'done' },
    abort: { state: 'aborted', keep: 'abort', answer: 'done' },
  },
  committed: {
    prepare: { state: 'committed', keep: undefined, answer: 'yes' },
    commit: { state: 'committed', keep: undefined, answer: 'done' },
    abort: { state: 'committed', keep: undefined, answer: 'contradiction' },
  },
  aborted: {
    prepare: { state: 'aborted', keep: undefined, answer: 'no' },
    commit: { state: 'aborted', keep: undefined, answer: 'contradiction' },
    abort: { state: 'aborted', keep: undefined, answer: 'done' },
  },
});

function checked(table: Record<ParticipantState, Row>): Record<ParticipantState, Row> {
  for (const [from, row] of Object.entries(table)) {
    for (const [message, { state: to, keep, answer }] of Object.entries(row)) {
      const isDecided = from === 'committed' || from === 'aborted';
      if (isDecided && to !== from) throw new Error(`${from} must not become ${to}.`);
      if (to === 'committed' && from === 'unknown') throw new Error('Only what was promised is committed.');
      if ((to === from) !== (keep === undefined)) throw new Error(`${from} and ${message}: a change is kept.`);
      if (answer === 'yes' && to !== 'prepared' && to !== 'committed') throw new Error(`${from} must not promise.`);
    }
  }
  return table;
}

export function decideParticipant(state: ParticipantState, message: ParticipantMessage): ParticipantDecision {
  return PARTICIPANT[state][message];
}
