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
const told = (participant: string, position?: string): CoordinatorInput => ({
  kind: 'told',
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
    case 'tell':
      return `tell ${effect.participant} ${effect.decision}`;
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

/** A transaction over a and b after these inputs, and what the last of them made it do. */
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
  it('asks all for their promise at once', () => {
    expect(after().deeds).toEqual(['prepare a', 'prepare b']);
  });

  it('asks for the commit only when the last has promised', () => {
    expect(after(yes('a')).deeds).toEqual([]);
    expect(after(...IN_DOUBT)).toMatchObject({ deeds: ['ask-commit'], state: { state: 'in-doubt' } });
  });

  it('tells them when the row says so, and answers when all have carried it out', () => {
    expect(after(...IN_DOUBT, rowSays('committed')).deeds).toEqual(['tell a committed', 'tell b committed']);
    expect(after(...IN_DOUBT, rowSays('committed'), told('b', '1.9')).deeds).toEqual([]);
    const end = after(...IN_DOUBT, rowSays('committed'), told('b', '1.9'), told('a'));
    const acknowledgements = '{"a":{},"b":{"position":"1.9"}}';
    expect(end.deeds).toEqual([`complete ${acknowledgements}`, `answer committed ${acknowledgements}`, 'forget']);
    expect(end.state.state).toBe('committed');
  });

  it('given a participant that cannot be told, answers that it is committed and leaves the telling to recovery', () => {
    const failed: CoordinatorInput = { kind: 'telling-failed', participant: 'a' };
    const end = after(...IN_DOUBT, rowSays('committed'), failed, told('b'));
    expect(end).toMatchObject({ deeds: ['answer untold', 'forget'], state: { state: 'committing' } });
  });

  it('given a row that says aborted, because somebody else was first, obeys it', () => {
    expect(after(...IN_DOUBT, rowSays('aborted')).deeds).toEqual(['tell a aborted', 'tell b aborted']);
    const end = after(...IN_DOUBT, rowSays('aborted'), told('a'), told('b'));
    expect(end.deeds).toEqual(['complete {"a":{},"b":{}}', 'answer not-ready', 'forget']);
  });

  it('with no participants at all, asks for the commit at once and completes it', () => {
    const begun = beginTransaction([]);
    expect(begun.effects.map(deedOf)).toEqual(['ask-commit']);
    expect(run(begun, [rowSays('committed')]).deeds).toEqual(['complete {}', 'answer committed {}', 'forget']);
  });
});

describe('a coordinator that does not get all promises', () => {
  it('given a no, waits for the others and then has the row say aborted before it tells who promised', () => {
    expect(after(no('b')).deeds).toEqual([]);
    expect(after(...VETOING).deeds).toEqual(['ask-abort: the id is taken']);
    expect(after(...VETOING, rowSays('aborted')).deeds).toEqual(['tell a aborted']);
    const end = after(...VETOING, rowSays('aborted'), told('a'));
    expect(end).toMatchObject({
      deeds: ['complete {"a":{}}', 'answer conflict', 'forget'],
      state: { state: 'aborted' },
    });
  });

  it('given a no by all, answers at once: no row, nobody to tell', () => {
    const end = after(no('a', FULL), no('b'));
    expect(end).toMatchObject({ deeds: ['answer storage-full', 'forget'], state: { state: 'aborted' } });
  });

  it('given silence until the deadline, aborts also at those who never answered', () => {
    expect(after(yes('a'), prepareOverdue).deeds).toEqual([
      'ask-abort: b did not answer within 1000 ms; nothing was written',
    ]);
    expect(after(yes('a'), prepareOverdue, rowSays('aborted')).deeds).toEqual(['tell a aborted', 'tell b aborted']);
  });

  it('given silence of all, aborts at all: any of them may have promised', () => {
    expect(after(prepareOverdue, rowSays('aborted')).deeds).toEqual(['tell a aborted', 'tell b aborted']);
  });

  it('given a promise after the deadline, changes nothing', () => {
    const overdue = after(yes('a'), prepareOverdue).state;
    for (const late of [yes('b'), no('b'), prepareFailed('b', FULL)]) {
      expect(decideCoordinator(overdue, late)).toEqual({ state: overdue, effects: [] });
    }
  });

  it('given a rejected prepare, takes it that a promise may be there', () => {
    expect(after(yes('a'), prepareFailed('b', FULL), rowSays('aborted')).deeds).toEqual([
      'tell a aborted',
      'tell b aborted',
    ]);
  });

  it('given a prepare of unknown outcome, tells the client that nothing was written, for that is certain', () => {
    const end = after(no('a', FULL), prepareFailed('b', UNKNOWN), rowSays('aborted'), told('b'));
    expect(end.deeds).toContain('answer storage-full');
    const alone = after(yes('a'), prepareFailed('b', UNKNOWN), rowSays('aborted'), told('a'), told('b'));
    expect(alone.deeds).toContain('answer not-ready');
    expect(alone.state.reason).toMatchObject({ retry: 'safe', cause: UNKNOWN });
  });

  it('given a failure and then a no, gives the no as the reason', () => {
    expect(after(prepareFailed('a', FULL), no('b')).deeds).toEqual(['ask-abort: the id is taken']);
  });

  it('names in the row whoever may hold a promise, and nobody else', () => {
    expect(positionsOf(after(yes('a', '3.7'), no('b')).state)).toEqual({ a: '3.7' });
    expect(positionsOf(after(yes('a', '3.7'), prepareOverdue).state)).toEqual({ a: '3.7', b: '' });
  });

  it('given a row that cannot be written, aborts without it: it has never asked for a commit', () => {
    for (const failure of [refused(FULL), unknown]) {
      expect(after(...VETOING, failure).deeds).toEqual(['tell a aborted']);
      expect(after(...VETOING, failure, told('a')).deeds).toEqual(['answer conflict', 'forget']);
    }
  });

  it('given a participant that cannot be told, answers all the same and leaves it to recovery', () => {
    const end = after(...VETOING, rowSays('aborted'), { kind: 'telling-failed', participant: 'a' });
    expect(end).toMatchObject({ deeds: ['answer conflict', 'forget'], state: { state: 'aborting' } });
  });
});

describe('a coordinator whose commit is not done', () => {
  it('given a definite refusal, has the row say aborted, tells all, and answers the refusal', () => {
    expect(after(...IN_DOUBT, refused(FULL)).deeds).toEqual(['ask-abort: no room left']);
    const end = after(...IN_DOUBT, refused(FULL), rowSays('aborted'), told('a'), told('b'));
    expect(end.deeds).toEqual(['complete {"a":{},"b":{}}', 'answer storage-full', 'forget']);
  });

  it('given a definite refusal and then no row, aborts without it: nobody asks for a commit any more', () => {
    for (const failure of [refused(FULL), unknown]) {
      expect(after(...IN_DOUBT, refused(FULL), failure).deeds).toEqual(['tell a aborted', 'tell b aborted']);
    }
  });

  it('given an unknown outcome, tells nobody anything, says so, and leaves it to recovery', () => {
    const end = after(...IN_DOUBT, unknown);
    expect(end).toMatchObject({ deeds: ['answer outcome-unknown', 'forget'], state: { state: 'in-doubt' } });
  });
});

describe('a coordinator whose answer is overdue', () => {
  it.each([
    ['preparing', 'running', []],
    ['waiting for the commit', 'running', IN_DOUBT],
    ['waiting for the row aborted', 'conflict', VETOING],
    ['telling the commit', 'untold', [...IN_DOUBT, rowSays('committed')]],
    ['telling the abort', 'conflict', [...VETOING, rowSays('aborted')]],
  ])('while it is %s, answers %s, once', (_, answer, inputs) => {
    const overdue = after(...inputs, answerOverdue);
    expect(overdue.deeds).toEqual([`answer ${answer}`]);
    expect(decideCoordinator(overdue.state, answerOverdue).effects).toEqual([]);
  });

  it('goes on, and does not answer again', () => {
    expect(after(...IN_DOUBT, answerOverdue, rowSays('committed')).deeds).toEqual([
      'tell a committed',
      'tell b committed',
    ]);
    const end = after(...IN_DOUBT, answerOverdue, rowSays('committed'), told('a'), told('b'));
    expect(end.deeds).toEqual(['complete {"a":{},"b":{}}', 'forget']);
  });
});

describe('a coordinator that is told something again', () => {
  it('changes nothing', () => {
    const states = [
      [yes('a'), yes('a')],
      [...IN_DOUBT, rowSays('committed'), rowSays('committed')],
      [...IN_DOUBT, rowSays('committed'), rowSays('aborted')],
      [...IN_DOUBT, rowSays('committed'), told('a'), told('a')],
      [...IN_DOUBT, rowSays('committed'), prepareOverdue],
      [...IN_DOUBT, told('a')],
      [...IN_DOUBT, rowSays('aborted'), refused(FULL)],
      [...IN_DOUBT, rowSays('aborted'), unknown],
    ];
    for (const inputs of states) {
      const before = after(...inputs.slice(0, -1));
      expect(after(...inputs)).toEqual({ state: before.state, deeds: [] });
    }
  });
});
