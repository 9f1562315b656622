import { describe, expect, it } from '@jest/globals';
import {
  decideParticipant,
  type ParticipantDecision,
  type ParticipantMessage,
  type ParticipantState,
} from '../../src/kernel/index.js';
import { DocumentParticipant, type DocumentWork } from '../../src/protocols/two-phase-commit/index.js';
import { DocumentWorld } from '../support/document-world.js';
import { departuresFrom, type Obedient } from '../support/participant-departures.js';

const ALONE = { admit: () => undefined, confirm: () => Promise.resolve({ isConfirmed: true }) };
const OTHER_ANSWER = { yes: 'no', no: 'yes', done: 'contradiction', contradiction: 'done' } as const;
const STATES: readonly ParticipantState[] = ['unknown', 'prepared', 'committed', 'aborted'];
const CELLS = STATES.flatMap((state) =>
  (['prepare', 'commit', 'abort'] as const).map((message): [ParticipantState, ParticipantMessage] => [state, message]),
);

describe('the running participant of the documents', () => {
  const running = async (): Promise<Obedient<DocumentWork> & { close(): Promise<void> }> => {
    const world = new DocumentWorld();
    await world.open();
    let count = 0;
    return {
      participant: new DocumentParticipant(world.store, ALONE, { prepareDeadlineMs: 1_000 }),
      head: () => ({ id: `t${(count += 1)}`, kind: 'test', decidedBy: 'database', incarnation: 1 }),
      work: () => ({
        changes: [{ type: 'create', collection: 'customers', id: (count += 1), fields: { name: 'new' } }],
      }),
      timesDone: ({ changes: [change] }) =>
        Promise.resolve(change?.type === 'create' && world.store.find('customers', change.id) ? 1 : 0),
      close: () => world.store.close(),
    };
  };

  it('follows the verified table after every sequence of messages', async () => {
    const obedient = await running();
    expect(await departuresFrom(decideParticipant, obedient)).toEqual([]);
    await obedient.close();
  });

  it.each(CELLS)('departs from a table with another entry for %s and %s', async (state, message) => {
    const changed = (from: ParticipantState, sent: ParticipantMessage): ParticipantDecision => {
      const decision = decideParticipant(from, sent);
      return from === state && sent === message ? { ...decision, answer: OTHER_ANSWER[decision.answer] } : decision;
    };
    const obedient = await running();
    expect(await departuresFrom(changed, obedient)).not.toEqual([]);
    await obedient.close();
  });
});
