/**
 * What a participant of two-phase commit does with a message, whatever its store is.
 *
 * Invariant: a promise is kept until its decision comes; a decision never changes; a prepare that comes after its abort
 * promises nothing. The table is checked for this when it is loaded.
 */

/** Of one transaction, as the store has it durable. `unknown` is also one that was carried out and forgotten since. */
export type ParticipantState = 'unknown' | 'prepared' | 'committed' | 'aborted';

/** `prepare` of work that the store can do. Of work that it cannot, it votes no and keeps nothing. */
export type ParticipantMessage = 'prepare' | 'commit' | 'abort';

export interface ParticipantDecision {
  readonly state: ParticipantState;
  /**
   * What to make durable before the answer. `commit` comes with the work that was promised, in one step.
   * `tombstone`: nothing was promised, but the prepare may still come. It has to last as long as a message may be late:
   * in memory where messages end with the process, on the disk where they do not.
   */
  readonly keep: 'promise' | 'commit' | 'abort' | 'tombstone' | undefined;
  /** `yes`, `no`: the vote. `done`: with the acknowledgement, if it is known. `contradiction`: two decisions were told; do nothing. */
  readonly answer: 'yes' | 'no' | 'done' | 'contradiction';
}

type Row = Readonly<Record<ParticipantMessage, ParticipantDecision>>;

const PARTICIPANT: Readonly<Record<ParticipantState, Row>> = checked({
  unknown: {
    prepare: { state: 'prepared', keep: 'promise', answer: 'yes' },
    // It was carried out and forgotten: a row that says `committed` exists only where all had promised.
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
