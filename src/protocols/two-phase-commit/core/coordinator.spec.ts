import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../../kernel/index.js';
import type { Vote } from '../ports.js';
import {
  beginTransaction,
  type CoordinatorDecision,
  type CoordinatorEffect,
  type CoordinatorInput,
  type CoordinatorState,
  decideCoordinator,
  positionsOf,
} from './coordinator.js';

const TAKEN = new AppError('conflict', 'the id is taken', { retry: 'never' });
const FULL = new AppError('storage-full', 'no room left', { retry: 'safe' });
const UNKNOWN = new AppError('outcome-unknown', 'no answer to COMMIT', { retry: 'unknown' });

const yes = (participant: string, position = `1.${participant}`): CoordinatorInput =>
  voted(participant, { vote: 'yes', position });
const no = (participant: string, reason = TAKEN): CoordinatorInput => voted(participant, { vote: 'no', reason });
const notified = (participant: string, position?: string): CoordinatorInput => ({
  kind: 'notified',
  participant,
  acknowledgement: position ? { position } : {},
});
const prepareFailed = (participant: string, error: Error): CoordinatorInput => ({
  kind: 'prepare-failed',
  participant,
  error,
});
const refused = (error: Error): CoordinatorInput => ({ kind: 'refused', error });
const unknown: CoordinatorInput = { kind: 'unknown', error: UNKNOWN };
const prepareOverdue: CoordinatorInput = { kind: 'prepare-overdue', afterMs: 1_000 };
const answerOverdue: CoordinatorInput = { kind: 'answer-overdue' };
const rowSays = (decision: 'committed' | 'aborted'): CoordinatorInput => ({ kind: 'decided', decision });

function voted(participant: string, vote: Vote): CoordinatorInput {
  return { kind: 'voted', participant, vote };
}

function deedOf(effect: CoordinatorEffect): string {
  switch (effect.kind) {
    case 'prepare':
      return `prepare ${effect.participant}`;
    case 'notify':
      return `notify ${effect.participant} ${effect.decision}`;
    case 'ask-abort':
      return `ask-abort: ${effect.reason.message}`;
    case 'complete':
      return `complete ${JSON.stringify(effect.acknowledgements)}`;
    case 'answer': {
      const { answer } = effect;
      if (answer.kind === 'rejected') return `answer ${codeOf(answer.error)}`;
      return answer.kind === 'committed'
        ? `answer committed ${JSON.stringify(answer.acknowledgements)}`
        : `answer ${answer.kind}`;
    }
    case 'ask-commit':
    case 'forget':
      return effect.kind;
  }
}

function codeOf(error: Error): string {
  return error instanceof AppError ? error.code : error.message;
}

/** A transaction over a and b after these inputs, and the effects of the last input. */
function after(...inputs: CoordinatorInput[]): { readonly state: CoordinatorState; readonly deeds: readonly string[] } {
  return run(beginTransaction(['a', 'b']), inputs);
}

function run(
  begun: CoordinatorDecision,
  inputs: readonly CoordinatorInput[],
): { state: CoordinatorState; deeds: string[] } {
  const last = inputs.reduce((decision, input) => decideCoordinator(decision.state, input), begun);
  return { state: last.state, deeds: last.effects.map(deedOf) };
}

const IN_DOUBT = [yes('a'), yes('b')];
const VETOING = [yes('a'), no('b')];

describe('a coordinator whose participants all promise', () => {
  it('asks all participants for their promise at once', () => {
    expect(after().deeds).toEqual(['prepare a', 'prepare b']);
  });

  it('asks for the commit only after the last promise', () => {
    expect(after(yes('a')).deeds).toEqual([]);
    expect(after(...IN_DOUBT)).toMatchObject({ deeds: ['ask-commit'], state: { state: 'in-doubt' } });
  });

  it('notifies the participants once the row says committed, and answers when all have carried it out', () => {
    expect(after(...IN_DOUBT, rowSays('committed')).deeds).toEqual(['notify a committed', 'notify b committed']);
    expect(after(...IN_DOUBT, rowSays('committed'), notified('b', '1.9')).deeds).toEqual([]);
    const end = after(...IN_DOUBT, rowSays('committed'), notified('b', '1.9'), notified('a'));
    const acknowledgements = '{"a":{},"b":{"position":"1.9"}}';
    expect(end.deeds).toEqual([`complete ${acknowledgements}`, `answer committed ${acknowledgements}`, 'forget']);
    expect(end.state.state).toBe('committed');
  });

  it('given a participant that cannot be notified, answers that the transaction is committed and leaves the rest to recovery', () => {
    const failed: CoordinatorInput = { kind: 'notification-failed', participant: 'a' };
    const end = after(...IN_DOUBT, rowSays('committed'), failed, notified('b'));
    expect(end).toMatchObject({ deeds: ['answer pending', 'forget'], state: { state: 'committing' } });
  });

  it('given a row that another process has set to aborted, obeys it', () => {
    expect(after(...IN_DOUBT, rowSays('aborted')).deeds).toEqual(['notify a aborted', 'notify b aborted']);
    const end = after(...IN_DOUBT, rowSays('aborted'), notified('a'), notified('b'));
    expect(end.deeds).toEqual(['complete {"a":{},"b":{}}', 'answer not-ready', 'forget']);
  });

  it('given no participants, asks for the commit at once and completes the transaction', () => {
    const begun = beginTransaction([]);
    expect(begun.effects.map(deedOf)).toEqual(['ask-commit']);
    expect(run(begun, [rowSays('committed')]).deeds).toEqual(['complete {}', 'answer committed {}', 'forget']);
  });
});

describe('a coordinator that does not get all promises', () => {
  it('given a no, waits for the other votes and writes the row aborted before it notifies those that promised', () => {
    expect(after(no('b')).deeds).toEqual([]);
    expect(after(...VETOING).deeds).toEqual(['ask-abort: the id is taken']);
    expect(after(...VETOING, rowSays('aborted')).deeds).toEqual(['notify a aborted']);
    const end = after(...VETOING, rowSays('aborted'), notified('a'));
    expect(end).toMatchObject({
      deeds: ['complete {"a":{}}', 'answer conflict', 'forget'],
      state: { state: 'aborted' },
    });
  });

  it('given a no by all participants, answers at once, without a row and without notifications', () => {
    const end = after(no('a', FULL), no('b'));
    expect(end).toMatchObject({ deeds: ['answer storage-full', 'forget'], state: { state: 'aborted' } });
  });

  it('given a participant that is silent until the deadline, aborts at that participant too', () => {
    expect(after(yes('a'), prepareOverdue).deeds).toEqual([
      'ask-abort: b did not answer within 1000 ms; nothing was written',
    ]);
    expect(after(yes('a'), prepareOverdue, rowSays('aborted')).deeds).toEqual(['notify a aborted', 'notify b aborted']);
  });

  it('given participants that are all silent, aborts at all of them, because each may have promised', () => {
    expect(after(prepareOverdue, rowSays('aborted')).deeds).toEqual(['notify a aborted', 'notify b aborted']);
  });

  it('given a promise after the deadline, changes nothing', () => {
    const overdue = after(yes('a'), prepareOverdue).state;
    for (const late of [yes('b'), no('b'), prepareFailed('b', FULL)]) {
      expect(decideCoordinator(overdue, late)).toEqual({ state: overdue, effects: [] });
    }
  });

  it('given a rejected prepare, assumes that the participant may hold a promise', () => {
    expect(after(yes('a'), prepareFailed('b', FULL), rowSays('aborted')).deeds).toEqual([
      'notify a aborted',
      'notify b aborted',
    ]);
  });

  it('given a prepare of unknown outcome, answers that nothing was written, because that is certain', () => {
    const end = after(no('a', FULL), prepareFailed('b', UNKNOWN), rowSays('aborted'), notified('b'));
    expect(end.deeds).toContain('answer storage-full');
    const alone = after(yes('a'), prepareFailed('b', UNKNOWN), rowSays('aborted'), notified('a'), notified('b'));
    expect(alone.deeds).toContain('answer not-ready');
    expect(alone.state.reason).toMatchObject({ retry: 'safe', cause: UNKNOWN });
  });

  it('given a failure and then a no, answers with the reason of the no', () => {
    expect(after(prepareFailed('a', FULL), no('b')).deeds).toEqual(['ask-abort: the id is taken']);
  });

  it('names in the row exactly the participants that may hold a promise', () => {
    expect(positionsOf(after(yes('a', '3.7'), no('b')).state)).toEqual({ a: '3.7' });
    expect(positionsOf(after(yes('a', '3.7'), prepareOverdue).state)).toEqual({ a: '3.7', b: '' });
  });

  it('given a row that cannot be written, aborts without it, because it never asked for a commit', () => {
    for (const failure of [refused(FULL), unknown]) {
      expect(after(...VETOING, failure).deeds).toEqual(['notify a aborted']);
      expect(after(...VETOING, failure, notified('a')).deeds).toEqual(['answer conflict', 'forget']);
    }
  });

  it('given a participant that cannot be notified, answers and leaves that participant to recovery', () => {
    const end = after(...VETOING, rowSays('aborted'), { kind: 'notification-failed', participant: 'a' });
    expect(end).toMatchObject({ deeds: ['answer conflict', 'forget'], state: { state: 'aborting' } });
  });
});

describe('a coordinator whose commit is not done', () => {
  it('given a definite refusal, writes the row aborted, notifies all participants and answers with the refusal', () => {
    expect(after(...IN_DOUBT, refused(FULL)).deeds).toEqual(['ask-abort: no room left']);
    const end = after(...IN_DOUBT, refused(FULL), rowSays('aborted'), notified('a'), notified('b'));
    expect(end.deeds).toEqual(['complete {"a":{},"b":{}}', 'answer storage-full', 'forget']);
  });

  it('given a definite refusal and a row that cannot be written, aborts without the row, because no process asks for a commit any more', () => {
    for (const failure of [refused(FULL), unknown]) {
      expect(after(...IN_DOUBT, refused(FULL), failure).deeds).toEqual(['notify a aborted', 'notify b aborted']);
    }
  });

  it('given an unknown outcome, notifies no participant, answers so and leaves the transaction to recovery', () => {
    const end = after(...IN_DOUBT, unknown);
    expect(end).toMatchObject({ deeds: ['answer outcome-unknown', 'forget'], state: { state: 'in-doubt' } });
  });
});

describe('a coordinator whose answer is overdue', () => {
  it.each([
    ['preparing', 'running', []],
    ['waiting for the commit', 'running', IN_DOUBT],
    ['waiting for the row aborted', 'conflict', VETOING],
    ['notifying of the commit', 'pending', [...IN_DOUBT, rowSays('committed')]],
    ['notifying of the abort', 'conflict', [...VETOING, rowSays('aborted')]],
  ])('while it is %s, answers %s, once', (_, answer, inputs) => {
    const overdue = after(...inputs, answerOverdue);
    expect(overdue.deeds).toEqual([`answer ${answer}`]);
    expect(decideCoordinator(overdue.state, answerOverdue).effects).toEqual([]);
  });

  it('continues, and does not answer again', () => {
    expect(after(...IN_DOUBT, answerOverdue, rowSays('committed')).deeds).toEqual([
      'notify a committed',
      'notify b committed',
    ]);
    const end = after(...IN_DOUBT, answerOverdue, rowSays('committed'), notified('a'), notified('b'));
    expect(end.deeds).toEqual(['complete {"a":{},"b":{}}', 'forget']);
  });
});

describe('a coordinator that receives an input again', () => {
  it('changes nothing', () => {
    const states = [
      [yes('a'), yes('a')],
      [...IN_DOUBT, rowSays('committed'), rowSays('committed')],
      [...IN_DOUBT, rowSays('committed'), rowSays('aborted')],
      [...IN_DOUBT, rowSays('committed'), notified('a'), notified('a')],
      [...IN_DOUBT, rowSays('committed'), prepareOverdue],
      [...IN_DOUBT, notified('a')],
      [...IN_DOUBT, rowSays('aborted'), refused(FULL)],
      [...IN_DOUBT, rowSays('aborted'), unknown],
    ];
    for (const inputs of states) {
      const before = after(...inputs.slice(0, -1));
      expect(after(...inputs)).toEqual({ state: before.state, deeds: [] });
    }
  });
});
