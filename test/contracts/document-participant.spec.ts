import type { PreparedChange } from '../../src/platform/documents/index.js';
import { DocumentParticipant, type DocumentWork } from '../../src/protocols/two-phase-commit/index.js';
import { DocumentWorld } from '../support/document-world.js';
import { describeParticipantContract } from './participant-contract.js';

const ALONE = { admit: () => undefined, confirm: () => Promise.resolve({ isConfirmed: true }) };

describeParticipantContract<DocumentWork>(
  'DocumentParticipant',
  { refuses: true, remembers: true, rulesOut: true },
  async () => {
    const world = new DocumentWorld();
    await world.open();
    await world.create('taken');
    const open = (): DocumentParticipant => new DocumentParticipant(world.store, ALONE, { prepareDeadlineMs: 1_000 });
    let participant = open();
    let count = 1;
    const workOn = (id: number): DocumentWork => {
      const change: PreparedChange = { type: 'create', collection: 'customers', id, fields: { name: 'new' } };
      return { changes: [change] };
    };
    return {
      participant: () => participant,
      work: () => workOn((count += 1)),
      impossibleWork: () => workOn(1),
      timesDone: ({ changes: [change] }) => {
        const isThere = change?.type === 'create' && world.store.find('customers', change.id) !== undefined;
        return Promise.resolve(isThere ? 1 : 0);
      },
      reopen: async () => {
        await world.reopenAfterPowerLoss();
        participant = open();
      },
      close: () => world.store.close(),
    };
  },
);
