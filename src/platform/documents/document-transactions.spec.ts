import { isDeepStrictEqual } from 'node:util';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { DocumentWorld } from '../../../test/support/document-world.js';
import type { PreparedChange } from './document-op.js';
import type { DocumentPrepare } from './document-transactions.js';

const BUMP: PreparedChange = { type: 'bump', collection: 'customers' };
const create = (id: number, name = 'of a transaction'): PreparedChange => ({
  ...{ type: 'create', collection: 'customers', id },
  fields: { name },
});

describe('a transaction that takes part in the document store', () => {
  let world: DocumentWorld;

  const prepare = (id: string, ...changes: readonly PreparedChange[]): Promise<DocumentPrepare> =>
    world.store.prepare({ id, kind: 'test', decidedBy: 'database', incarnation: 3 }, changes);
  const commit = (id: string): Promise<unknown> => world.store.commitPrepared(id);
  const abort = (id: string): Promise<unknown> => world.store.abortPrepared(id);
  /** `prepared`, `done`, `nothing`, the refusal, or the code of the error. */
  const outcome = (call: Promise<unknown>): Promise<string> =>
    call.then(
      (answer) => {
        if (isDeepStrictEqual(answer, {})) return 'nothing';
        const { prepared, refusal } = answer as { readonly prepared?: boolean; readonly refusal?: string };
        return refusal ?? (prepared === true ? 'prepared' : 'done');
      },
      (error: { readonly code: string }) => error.code,
    );
  const outcomes = (...calls: readonly Promise<unknown>[]): Promise<string[]> => Promise.all(calls.map(outcome));
  const open = (): string[] => world.store.prepared().map(({ id }) => id);
  const counter = (id: number): unknown => world.store.find('customers', id)?.['orders_count'];
  const fillDisk = (roomBytes = 0): void => {
    const used = [...world.disk.image().values()].reduce((sum, bytes) => sum + bytes.length, 0);
    world.disk.capacityBytes = used + roomBytes;
  };
  /** Journal records of transactions, oldest first. */
  const records = (): string[] =>
    [...world.disk.image()]
      .filter(([path]) => path.endsWith('.log'))
      .flatMap(([, bytes]) => bytes.toString().match(/"type":"(?:prepare|commit|abort)","transaction":"[^"]*"/g) ?? [])
      .map((op) => op.replaceAll(/"type":|"transaction":|"/g, '').replace(',', ' '));

  beforeEach(async () => {
    world = new DocumentWorld();
    await world.open();
    await world.create('Ada');
  });

  it('given a promise, shows no change until the commit, whose acknowledgement contains the result', async () => {
    const { position } = world.store;
    const answer = await prepare('t', BUMP, create(7));
    await world.create('while it was open');
    const shown = [world.names(), counter(1)];

    expect(answer).toEqual({ prepared: true, position: { epoch: position.epoch, seq: position.seq + 1 } });
    expect(shown).toEqual([
      [
        [1, 'Ada'],
        [8, 'while it was open'],
      ],
      0,
    ]);
    expect(await commit('t')).toEqual({ position: '1.5', outcome: { bumped: { customers: 2 } } });
    expect([counter(1), counter(7), counter(8)]).toEqual([1, 0, 1]);
  });

  it('given a field whose name JSON has to escape, is refused and leaves nothing behind', async () => {
    const change = { type: 'create', collection: 'customers', id: 7, fields: { 'a"b': 1 } } as const;

    expect([await outcome(prepare('t', change)), records(), open()]).toEqual(['validation-failed', [], []]);
  });

  it('is listed as in doubt from its promise to its decision, over a restart, oldest first', async () => {
    world.clock.advance(5_000);
    await prepare('z', BUMP);
    await prepare('a', create(7));
    await world.reopenAfterPowerLoss();

    expect(world.store.prepared()).toEqual([
      {
        id: 'z',
        kind: 'test',
        decidedBy: 'database',
        incarnation: 3,
        preparedAtMs: world.clock.nowMs(),
        position: '1.3',
      },
      {
        id: 'a',
        kind: 'test',
        decidedBy: 'database',
        incarnation: 3,
        preparedAtMs: world.clock.nowMs(),
        position: '1.4',
      },
    ]);
    await commit('z');
    expect(open()).toEqual(['a']);
    await abort('a');
    expect(open()).toEqual([]);
  });

  describe('that reserves an id', () => {
    beforeEach(async () => {
      await prepare('t', create(7));
    });

    it('keeps other writers from that id until it is decided, also over a restart', async () => {
      for (const isRestarted of [false, true]) {
        if (isRestarted) await world.reopenAfterPowerLoss();
        const others = [world.replace(7, 'late'), world.delete(7), prepare('other', create(7))];

        expect(await outcomes(...others)).toEqual(['reserved', 'reserved', 'reserved']);
      }
      await abort('t');
      expect(await outcomes(world.replace(7, 'late'), prepare('other', create(7)))).toEqual(['not-found', 'prepared']);
    });

    it('keeps the id unused by later creations, even after an abort and a restart', async () => {
      const first = await world.create('Grace');
      await abort('t');
      await world.reopenAfterPowerLoss();
      const second = await world.create('Edsger');

      expect([first, second]).toMatchObject([
        { outcome: { document: { id: 8 } } },
        { outcome: { document: { id: 9 } } },
      ]);
    });

    it('releases the id with the commit, so that the document can be replaced', async () => {
      await commit('t');

      expect(await outcomes(world.replace(7, 'newer'), prepare('other', create(7)))).toEqual(['done', 'exists']);
      expect(world.names()).toContainEqual([7, 'newer']);
    });
  });

  it('that creates an existing document, is refused and leaves nothing behind', async () => {
    expect(await outcomes(prepare('t', BUMP, create(1)))).toEqual(['exists']);
    expect([records(), open(), await commit('t')]).toEqual([[], [], {}]);
  });

  describe('in one batch with other writes', () => {
    it('is refused an id that is being reserved or created only when that write is durable', async () => {
      const order: string[] = [];
      world.disk.beforeCall = ({ operation, path }) => {
        if (operation === 'synchronize' && path.endsWith('.log')) order.push('fdatasync');
        return Promise.resolve();
      };
      const note = (call: Promise<unknown>): Promise<unknown> => outcome(call).then((what) => order.push(what));
      const calls = [prepare('t', create(7)), note(prepare('other', create(7))), note(world.replace(7, 'late'))];
      calls.push(world.create('Grace'), note(prepare('third', create(8))));
      await Promise.all(calls);

      expect(order).toEqual(['fdatasync', 'reserved', 'reserved', 'exists']);
    });

    it('reserves nothing for bumps: any number of them are prepared and committed together', async () => {
      const ids = Array.from({ length: 50 }, (_, index) => `t${String(index)}`);
      await Promise.all(ids.map((id) => prepare(id, BUMP)));
      let synchronisations = 0;
      world.disk.beforeCall = ({ operation, path }) => {
        if (operation === 'synchronize' && path.endsWith('.log')) synchronisations += 1;
        return Promise.resolve();
      };
      await Promise.all(ids.map(commit));

      expect([counter(1), synchronisations]).toEqual([50, 1]);
    });

    it('may create a document that is being deleted', async () => {
      expect(await outcomes(world.delete(1), prepare('t', create(1)), commit('t'))).toEqual([
        'done',
        'prepared',
        'done',
      ]);
      expect(world.names()).toEqual([[1, 'of a transaction']]);
    });
  });

  describe('that receives a message again', () => {
    it('prepares once, with the same answer and one record', async () => {
      const position = { epoch: 1, seq: 3 };
      const twice = await Promise.all([prepare('t', create(7)), prepare('t', create(7))]);
      const later = await prepare('t', create(7));

      expect([...twice, later]).toEqual(Array.from({ length: 3 }, () => ({ prepared: true, position })));
      expect(records()).toEqual(['prepare t']);
    });

    it.each([
      ['commit', commit],
      ['abort', abort],
    ])(
      'given %s twice, returns the same acknowledgement and writes one record, also after a restart',
      async (what, decide) => {
        await prepare('t', BUMP);
        const first = await Promise.all([decide('t'), decide('t')]);
        const second = await decide('t');
        await world.reopenAfterPowerLoss();
        const third = await decide('t');

        expect(first[0]).toMatchObject({ position: '1.4' });
        expect([first[1], second, third]).toEqual([first[0], first[0], first[0]]);
        expect([records(), counter(1)]).toEqual([['prepare t', `${what} t`], what === 'commit' ? 1 : 0]);
      },
    );

    it.each([
      ['commit', commit, abort],
      ['abort', abort, commit],
    ])('given %s and then the opposite, refuses as conflict and changes nothing', async (what, decide, contradict) => {
      await prepare('t', BUMP);
      const both = await outcomes(decide('t'), contradict('t'));

      expect([both, await outcomes(contradict('t'))]).toEqual([['done', 'conflict'], ['conflict']]);
      expect(records()).toEqual(['prepare t', `${what} t`]);
    });

    it('given prepare after its commit, does nothing', async () => {
      await prepare('t', BUMP);
      await commit('t');

      expect(await prepare('t', BUMP)).toEqual({ prepared: true, position: { epoch: 1, seq: 4 } });
      expect([records(), counter(1)]).toEqual([['prepare t', 'commit t'], 1]);
    });
  });

  describe('that is aborted', () => {
    it('without a promise, writes nothing and refuses the late prepare', async () => {
      expect([await abort('t'), await outcomes(prepare('t', create(7)))]).toEqual([{}, ['aborted']]);
      expect(await outcomes(world.replace(7, 'free'))).toEqual(['not-found']);
      expect(records()).toEqual([]);
    });

    it('while its prepare is queued, is aborted after it', async () => {
      expect(await outcomes(prepare('t', create(7)), abort('t'))).toEqual(['prepared', 'done']);
      expect([records(), open()]).toEqual([['prepare t', 'abort t'], []]);
      expect(await outcomes(prepare('t', create(7)), world.replace(7, 'free'))).toEqual(['aborted', 'not-found']);
    });

    it('while its prepare waits for another write, is never prepared', async () => {
      const calls = [prepare('other', create(3)), prepare('t', create(3)), abort('t')];

      expect(await outcomes(...calls)).toEqual(['prepared', 'aborted', 'nothing']);
      expect(records()).toEqual(['prepare other']);
    });

    it('before a restart, refuses a prepare after the restart', async () => {
      await prepare('t', BUMP);
      await abort('t');
      await world.reopenAfterPowerLoss();

      expect(await outcomes(prepare('t', BUMP))).toEqual(['aborted']);
    });
  });

  it('given a commit while its prepare is queued, is committed once the promise is durable', async () => {
    const [, acknowledgement] = await Promise.all([prepare('t', BUMP), commit('t')]);

    expect(acknowledgement).toEqual({ position: '1.4', outcome: { bumped: { customers: 1 } } });
  });

  it('given a commit of an unknown transaction, does nothing', async () => {
    expect([await commit('t'), records()]).toEqual([{}, []]);
  });

  it('before the epoch of this process, is refused every step', async () => {
    await prepare('t', BUMP);
    const next = new DocumentWorld({ disk: world.disk, startsNoEpoch: true });
    world.disk.kill();
    await next.open();
    world = next;

    expect(open()).toEqual(['t']);
    expect(await outcomes(prepare('other', BUMP), commit('t'), abort('t'))).toEqual(Array(3).fill('not-ready'));
  });

  it.each<[string, PreparedChange, string]>([
    ['a collection that does not exist', { type: 'bump', collection: 'unknown' }, 'there is no collection unknown'],
    ['an invalid id', create(0), 'invalid id of customers: 0'],
  ])('with %s, is refused before anything is written', async (_, change, message) => {
    await expect(prepare('t', BUMP, change)).rejects.toThrow(message);
    expect(records()).toEqual([]);
  });

  describe('on a full disk', () => {
    beforeEach(async () => {
      world = new DocumentWorld({ journalReserveBytes: 4_000 });
      await world.open();
      await world.create('Ada');
      await prepare('t', create(7));
    });

    it('is not promised and reserves nothing', async () => {
      fillDisk();
      expect(await outcomes(prepare('other', create(9)))).toEqual(['storage-full']);
      fillDisk(100_000);

      expect([open(), await outcomes(prepare('third', create(9)))]).toEqual([['t'], ['prepared']]);
      expect(await world.create('Grace')).toMatchObject({ outcome: { document: { id: 10 } } });
    });

    it('is decided and stays decided', async () => {
      await prepare('other', BUMP);
      fillDisk();

      expect(await outcomes(commit('t'), abort('other'), world.create('refused'))).toEqual([
        'done',
        'done',
        'storage-full',
      ]);
      world.disk.losePower();
      world.disk.capacityBytes = Infinity;
      await world.open();
      expect([open(), world.names()]).toEqual([
        [],
        [
          [1, 'Ada'],
          [7, 'of a transaction'],
        ],
      ]);
    });

    it('needs no abort when its promise failed for lack of room in the same batch', async () => {
      fillDisk();

      expect(await outcomes(prepare('other', create(9)), abort('other'))).toEqual(['storage-full', 'nothing']);
      fillDisk(100_000);
      expect([open(), await outcomes(world.replace(9, 'free'))]).toEqual([['t'], ['not-found']]);
    });

    it('is tried again when the write that it waited for failed for lack of room', async () => {
      fillDisk();
      world.disk.beforeCall = ({ operation }) => {
        if (operation === 'truncate') fillDisk(100_000);
        return Promise.resolve();
      };

      expect(await outcomes(prepare('first', create(9)), prepare('second', create(9)))).toEqual([
        'storage-full',
        'prepared',
      ]);
    });
  });
});
