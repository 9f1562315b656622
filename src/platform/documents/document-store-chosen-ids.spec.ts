import { beforeEach, describe, expect, it } from '@jest/globals';
import { DocumentWorld } from '../../../test/support/document-world.js';
import { SimulatedDisk } from '../../../test/support/simulated-disk.js';
import type { DocumentId, DocumentWrite } from './index.js';

const USERS = { name: 'users', ids: 'text' } as const;

describe('a document with an id of the caller’s choice', () => {
  let world: DocumentWorld;
  let operations = 0;

  const stamp = (): { id: string } => {
    operations += 1;
    return { id: `chosen-${String(operations)}` };
  };
  const createAt = (id: DocumentId, name: string): Promise<DocumentWrite> =>
    world.store.createAt('users', id, { name }, stamp());
  const remove = (id: DocumentId): Promise<DocumentWrite> => world.store.delete('users', id, stamp());
  const users = (after = ''): [DocumentId, unknown][] =>
    world.store.page('users', after, 100).documents.map(({ id, name }) => [id, name]);
  const refusals = async (writes: readonly Promise<DocumentWrite>[]): Promise<unknown[]> =>
    (await Promise.all(writes)).map((write) => (write.done ? 'done' : write.refusal));
  const usedBytes = (): number => [...world.disk.image().values()].reduce((sum, bytes) => sum + bytes.length, 0);

  beforeEach(async () => {
    world = new DocumentWorld({ moreCollections: [USERS] });
    await world.open();
  });

  it('is found under that id without a counter, and listed in the order of code units, over a restart and a snapshot', async () => {
    for (const id of ['b', '7', 'a', '07', 'B', '10', '_', '-', '__proto__']) await createAt(id, `name of ${id}`);
    const asShown = users();
    await world.store.close();
    await world.open();

    expect(world.store.find('users', '07')).toEqual({ id: '07', name: 'name of 07' });
    expect(world.store.find('users', '__proto__')).toEqual({ id: '__proto__', name: 'name of __proto__' });
    expect(asShown.map(([id]) => id)).toEqual(['-', '07', '10', '7', 'B', '_', '__proto__', 'a', 'b']);
    expect(users()).toEqual(asShown);
    expect(users('B')).toEqual(asShown.slice(5));
  });

  it('given an existing document, is refused and changes nothing; given a deleted document, is created', async () => {
    await createAt('ada', 'first');

    expect(await createAt('ada', 'second')).toEqual({ done: false, refusal: 'exists' });
    expect(users()).toEqual([['ada', 'first']]);
    await remove('ada');
    expect(await createAt('ada', 'third')).toMatchObject({ done: true, outcome: { change: 'created' } });
  });

  it('given two creations in one batch, is created once, and the other creation is refused only when the first is durable', async () => {
    const order: string[] = [];
    world.disk.beforeCall = ({ operation }) => {
      if (operation === 'synchronize') order.push('fdatasync');
      return Promise.resolve();
    };
    const writes = [createAt('ada', 'first'), createAt('ada', 'second'), remove('ada'), createAt('ada', 'third')];
    void writes[1]?.then(() => order.push('refused'));

    expect(await refusals(writes)).toEqual(['done', 'exists', 'done', 'done']);
    expect(order.slice(0, 2)).toEqual(['fdatasync', 'refused']);
    expect(users()).toEqual([['ada', 'third']]);
  });

  it('given an earlier creation that failed for lack of room, is created', async () => {
    world.disk.capacityBytes = usedBytes();
    const first = createAt('ada', 'first').catch((error: { code: string }) => error.code);
    const second = createAt('ada', 'second');
    world.disk.beforeCall = ({ operation }) => {
      if (operation === 'truncate') world.disk.capacityBytes = Infinity;
      return Promise.resolve();
    };

    expect(await first).toBe('storage-full');
    expect(await second).toMatchObject({ done: true });
    expect(users()).toEqual([['ada', 'second']]);
  });

  it('given a whole number in a collection that allots ids, is followed by a higher id', async () => {
    await world.store.createAt('customers', 7, { name: 'Ada' }, stamp());
    await world.create('Grace');

    expect(world.names()).toEqual([
      [7, 'Ada'],
      [8, 'Grace'],
    ]);
  });

  it.each(['', 'a b', 'ä', 'a/b', 'x'.repeat(65), 7])('given the invalid text id %j, throws', (id) => {
    expect(() => createAt(id, 'Ada')).toThrow('invalid id of users');
  });

  it('is required in a collection with text ids', async () => {
    await expect(world.store.create('users', { name: 'Ada' }, stamp())).rejects.toThrow('the caller chooses the ids');
  });

  it.each(['its journal', 'its snapshot'])(
    'given data of a version without users, from %s, is stored beside that data',
    async (from) => {
      const older = new DocumentWorld({
        disk: new SimulatedDisk(),
        snapshotEveryBytes: from === 'its journal' ? 1e6 : 1,
      });
      await older.open();
      await older.create('Ada');
      await older.store.close();
      world = new DocumentWorld({ disk: older.disk, moreCollections: [USERS] });
      await world.open();
      await createAt('ada', 'Ada');
      await world.reopenAfterPowerLoss();

      expect([older.snapshotText() !== undefined, world.names(), users()]).toEqual([
        from === 'its snapshot',
        [[1, 'Ada']],
        [['ada', 'Ada']],
      ]);
    },
  );
});
