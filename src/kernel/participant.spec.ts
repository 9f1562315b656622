import { describe, expect, it } from '@jest/globals';
import { decideParticipant, type ParticipantMessage, type ParticipantState } from './participant.js';

/** What was kept and answered, message by message, from a store that has never heard of the transaction. */
function history(...messages: ParticipantMessage[]): string[] {
  let state: ParticipantState = 'unknown';
  return messages.map((message) => {
    const decision = decideParticipant(state, message);
    state = decision.state;
    return `${decision.keep ?? 'nothing'}, ${decision.answer}`;
  });
}

describe('a participant', () => {
  it('asked for a promise, keeps it before it says yes, and keeps the decision before it says done', () => {
    expect(history('prepare', 'commit')).toEqual(['promise, yes', 'commit, done']);
    expect(history('prepare', 'abort')).toEqual(['promise, yes', 'abort, done']);
  });

  it('told anything again, keeps nothing again and answers alike', () => {
    expect(history('prepare', 'prepare', 'commit', 'commit')).toEqual([
      'promise, yes',
      'nothing, yes',
      'commit, done',
      'nothing, done',
    ]);
    expect(history('prepare', 'abort', 'abort')).toEqual(['promise, yes', 'abort, done', 'nothing, done']);
  });

  it('told to abort what it never promised, remembers that, and refuses the prepare that comes too late', () => {
    expect(history('abort', 'prepare', 'abort')).toEqual(['tombstone, done', 'nothing, no', 'nothing, done']);
  });

  it('asked again after its abort, promises nothing', () => {
    expect(history('prepare', 'abort', 'prepare')).toEqual(['promise, yes', 'abort, done', 'nothing, no']);
  });

  it('told to commit what it has forgotten, keeps nothing', () => {
    expect(history('commit')).toEqual(['nothing, done']);
  });

  it('told both decisions, does nothing on the second and says so', () => {
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
