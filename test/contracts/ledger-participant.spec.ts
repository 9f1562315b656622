import { describe, expect, it } from '@jest/globals';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LedgerEntry, LedgerParticipant } from '../../examples/atomic-invoice/ledger.participant.js';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { describeParticipantContract } from './participant-contract.js';

const entryOf = (text: string, amountCents = 100): LedgerEntry => ({ account: text, amountCents, text });

describeParticipantContract(
  'the ledger of the invoice example',
  { refuses: true, remembers: true, rulesOut: false },
  async () => {
    const directory = temporaryDirectory();
    const open = (): Promise<LedgerParticipant> => LedgerParticipant.open(join(directory, 'ledger.jsonl'));
    let ledger = await open();
    let count = 0;
    return {
      participant: () => ledger,
      work: () => entryOf(`entry ${(count += 1)}`),
      impossibleWork: () => entryOf('over the limit', 1_000_001),
      timesDone: async ({ text }) => ledger.entries().filter((entry) => entry.text === text).length,
      reopen: async () => {
        await ledger.close();
        ledger = await open();
      },
      close: async () => {
        await ledger.close();
        removeDirectory(directory);
      },
    };
  },
);

describe('the ledger of the invoice example', () => {
  const head = (number: number) => ({ id: `id ${number}`, kind: 'test', decidedBy: 'sql', incarnation: 1 });

  it('given an account that has promised up to its limit, promises no more until one promise is aborted', async () => {
    const directory = temporaryDirectory();
    const ledger = await LedgerParticipant.open(join(directory, 'ledger.jsonl'));
    expect(await ledger.prepare(head(1), entryOf('ada', 1_000_000))).toEqual({ vote: 'yes' });
    expect(await ledger.prepare(head(2), entryOf('ada', 1))).toMatchObject({ vote: 'no' });
    await ledger.abort('id 1');

    expect(await ledger.prepare(head(3), entryOf('ada', 1))).toEqual({ vote: 'yes' });
    await ledger.close();
    removeDirectory(directory);
  });

  it('given an incomplete line of a process that died, removes it and continues after the last whole line', async () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'ledger.jsonl');
    const first = await LedgerParticipant.open(file);
    await first.prepare(head(1), entryOf('ada'));
    await first.close();
    const whole = readFileSync(file, 'utf8');
    appendFileSync(file, '{"state":"commi');

    const ledger = await LedgerParticipant.open(file);
    expect([readFileSync(file, 'utf8'), (await ledger.inDoubt()).map(({ id }) => id)]).toEqual([whole, ['id 1']]);
    await ledger.commit('id 1');
    await ledger.close();
    const next = await LedgerParticipant.open(file);
    expect(next.entries()).toHaveLength(1);
    await next.close();
    removeDirectory(directory);
  });

  it.each([
    ['is not JSON', 'garbage'],
    ['is empty', ''],
    ['is not a line of a ledger', '{"state":"committed"}'],
    ['has lost its beginning', '"committed","id":"id 1"}'],
  ])(
    'given a whole line that %s, refuses as data-corrupt naming file and line, and does not change the file',
    async (_, line) => {
      const directory = temporaryDirectory();
      const file = join(directory, 'ledger.jsonl');
      const first = await LedgerParticipant.open(file);
      await first.prepare(head(1), entryOf('ada'));
      await first.close();
      appendFileSync(file, `${line}\n{"state":"commi`);
      const before = readFileSync(file, 'utf8');

      const message = expect.stringContaining(`${file}: line 2 is damaged`);
      await expect(LedgerParticipant.open(file)).rejects.toMatchObject({ code: 'data-corrupt', message });
      expect(readFileSync(file, 'utf8')).toBe(before);
      removeDirectory(directory);
    },
  );
});
