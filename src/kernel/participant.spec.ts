import { describe, expect, it } from '@jest/globals';
import { decideParticipant, type ParticipantMessage, type ParticipantState } from './participant.js';

/** The kept state and the answer of each message, for a store that does not know the transaction. */
function history(...messages: ParticipantMessage[]): string[] {
  let state: ParticipantState = 'unknown';
  return messages.map((message) => {
    const decision = decideParticipant(state, message);
    state = decision.state;
    return `${decision.keep ?? 'nothing'}, ${decision.answer}`;
  });
}

describe('a participant', () => {
  it('keeps a promise before it says yes, and a decision before it says done', () => {
    expect(history('prepare', 'commit')).toEqual(['promise, yes', 'commit, done']);
    expect(history('prepare', 'abort')).toEqual(['promise, yes', 'abort, done']);
  });

  it('given a repeated message, keeps nothing new and repeats its answer', () => {
    expect(history('prepare', 'prepare', 'commit', 'commit')).toEqual([
      'promise, yes',
      'nothing, yes',
      'commit, done',
      'nothing, done',
    ]);
    expect(history('prepare', 'abort', 'abort')).toEqual(['promise, yes', 'abort, done', 'nothing, done']);
  });

  it('given an abort without a promise, remembers it and refuses the late prepare', () => {
    expect(history('abort', 'prepare', 'abort')).toEqual(['tombstone, done', 'nothing, no', 'nothing, done']);
  });

  it('given a prepare after its abort, promises nothing', () => {
    expect(history('prepare', 'abort', 'prepare')).toEqual(['promise, yes', 'abort, done', 'nothing, no']);
  });

  it('given a commit of a forgotten transaction, keeps nothing', () => {
    expect(history('commit')).toEqual(['nothing, done']);
  });

  it('given both decisions, ignores the second and answers contradiction', () => {
    expect(history('prepare', 'commit', 'abort', 'commit').slice(2)).toEqual([
      'nothing, contradiction',
      'nothing, done',
    ]);
    expect(history('prepare', 'abort', 'commit', 'abort').slice(2)).toEqual([
      'nothing, contradiction',
      'nothing, done',
    ]);
  });
});
