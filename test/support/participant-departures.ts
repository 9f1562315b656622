import type { decideParticipant, ParticipantMessage, ParticipantState } from '../../src/kernel/index.js';
import type { Participant, TransactionHead, TransactionId } from '../../src/protocols/two-phase-commit/index.js';

const MESSAGES: readonly ParticipantMessage[] = ['prepare', 'commit', 'abort'];
/** So that each state is reached, sent each message, and asked once more what became of it. */
const MESSAGES_IN_A_ROW = 4;

export interface Obedient<Work> {
  readonly participant: Participant<Work>;
  head(): TransactionHead;
  /** Work of its own for each call. */
  work(): Work;
  timesDone(work: Work): Promise<number>;
}

/**
 * Sends a participant every sequence of messages, each for a transaction of its own. Gives the messages after which its
 * answer, what it is in doubt of, or what it has done is not what `table` says.
 */
export async function departuresFrom<Work>(
  table: typeof decideParticipant,
  obedient: Obedient<Work>,
): Promise<readonly string[]> {
  const departures = new Set<string>();
  for (const sequence of sequences(MESSAGES_IN_A_ROW)) {
    const [head, work] = [obedient.head(), obedient.work()];
    let state: ParticipantState = 'unknown';
    for (const [index, message] of sequence.entries()) {
      const expected = table(state, message);
      const found = await answerOf(obedient.participant, head, work, message);
      state = expected.state;
      const wanted = [expected.answer, state === 'prepared', state === 'committed' ? 1 : 0];
      const seen = [found, await isInDoubt(obedient.participant, head.id), await obedient.timesDone(work)];
      if (String(wanted) !== String(seen)) departures.add(sequence.slice(0, index + 1).join(', '));
    }
  }
  return [...departures];
}

function sequences(length: number): readonly (readonly ParticipantMessage[])[] {
  if (length === 0) return [[]];
  return sequences(length - 1).flatMap((shorter) => MESSAGES.map((message) => [...shorter, message]));
}

async function answerOf<Work>(
  participant: Participant<Work>,
  head: TransactionHead,
  work: Work,
  message: ParticipantMessage,
): Promise<string> {
  if (message === 'prepare') return (await participant.prepare(head, work)).vote;
  return participant[message](head.id).then(
    () => 'done',
    () => 'contradiction',
  );
}

async function isInDoubt(participant: Participant<never>, id: TransactionId): Promise<boolean> {
  return (await participant.inDoubt()).some((transaction) => transaction.id === id);
}
