import { beforeEach, describe, expect, it } from '@jest/globals';
import { DocumentWorld } from '../../../test/support/document-world.js';

describe('DocumentStore', () => {
  let world: DocumentWorld;

  const refusals = async (writes: readonly Promise<{ readonly done: boolean }>[]): Promise<unknown[]> =>
    (await Promise.all(writes)).map((write) => ('refusal' in write ? write.refusal : 'done'));
  const fillDisk = (roomBytes = 0): void => {
    const used = [...world.disk.image().values()].reduce((sum, bytes) => sum + bytes.length, 0);
    world.disk.capacityBytes = used + roomBytes;
  };

  beforeEach(async () => {
    world = new DocumentWorld();
    await world.open();
  });

  it('given a write, shows and answers it only after its fdatasync', async () => {
    let visible: unknown;
    let isAnswered = false;
    world.disk.beforeCall = ({ operation }) => {
      if (operation === 'synchronize') visible = [world.names(), isAnswered];
      return Promise.resolve();
    };

    await world.create('Ada').then(() => (isAnswered = true));

    expect([visible, world.names()]).toEqual([[[], false], [[1, 'Ada']]]);
  });

  it.each(['a"b', 'a\\b', 'a\nb', '\u0000', '\ud800'])(
    'given the field name %j, which JSON has to escape, refuses to create or replace, and writes nothing',
    async (field) => {
      await world.create('Ada');
      const { position } = world.store;
      const fields = { name: 'Grace', [field]: 1 };
      const refused = { code: 'validation-failed', fields: [{ field }] };

      await expect(world.store.create('customers', fields, { id: 'x' })).rejects.toMatchObject(refused);
      await expect(world.store.replace('customers', 1, fields, { id: 'y' })).rejects.toMatchObject(refused);
      expect([world.store.position, world.names()]).toEqual([position, [[1, 'Ada']]]);
    },
  );

  it('given a deleted document, never allots its id again, even after a restart', async () => {
    await world.create('Ada');
    await world.create('Grace');
    await world.delete(2);
    await world.reopenAfterPowerLoss();
    await world.create('Edsger');

    expect(world.names()).toEqual([
      [1, 'Ada'],
      [3, 'Edsger'],
    ]);
  });

  it('given a restart, continues the same history in the next epoch', async () => {
    await world.create('Ada');
    const { epoch, seq } = world.store.position;
    await world.reopenAfterPowerLoss();

    expect(world.store.position).toMatchObject({ epoch: epoch + 1, seq: seq + 1 });
  });

  it('given a write with a key, finds its outcome by key and by id after a restart', async () => {
    const write = await world.create('Ada', 'key');
    await world.reopenAfterPowerLoss();
    const found = world.store.findOperation({ scope: 'key' });

    expect(write).toMatchObject({ done: true, outcome: found?.outcome });
    expect(found?.outcome.document).toEqual({ id: 1, name: 'Ada', orders_count: 0 });
    expect(world.store.findOperation({ id: found?.id ?? '' })).toEqual(found);
  });

  describe('given writes in one batch', () => {
    beforeEach(async () => {
      await world.create('Ada');
    });

    it('accepts exactly one of two with the same condition', async () => {
      const writes = [world.replace(1, 'first', 'Ada'), world.replace(1, 'second', 'Ada')];

      expect(await refusals(writes)).toEqual(['done', 'precondition-failed']);
      expect(world.names()).toEqual([[1, 'first']]);
    });

    it('accepts a write whose condition the other write makes true', async () => {
      expect(await refusals([world.replace(1, 'first'), world.replace(1, 'second', 'first')])).toEqual([
        'done',
        'done',
      ]);
      expect(world.names()).toEqual([[1, 'second']]);
    });

    it('refuses to replace or delete a document that another write deletes', async () => {
      const writes = [world.delete(1), world.replace(1, 'late'), world.delete(1)];

      expect(await refusals(writes)).toEqual(['done', 'not-found', 'not-found']);
      expect(world.names()).toEqual([]);
    });

    it('replaces and deletes a document by the id that its queued creation will have', async () => {
      const writes = [world.create('new'), world.replace(2, 'newer'), world.delete(2, 'newer')];

      expect(await refusals(writes)).toEqual(['done', 'done', 'done']);
      expect(world.names()).toEqual([[1, 'Ada']]);
    });

    it('refuses because of a queued write only when that write is durable', async () => {
      const order: string[] = [];
      world.disk.beforeCall = ({ operation, path }) => {
        if (operation === 'synchronize' && path.endsWith('.log')) order.push('fdatasync');
        return Promise.resolve();
      };
      const writes = [world.delete(1), world.replace(1, 'late').then(() => order.push('refused'))];
      await Promise.all(writes);

      expect(order).toEqual(['fdatasync', 'refused']);
    });
  });

  describe('given a full disk', () => {
    beforeEach(async () => {
      await world.create('Ada');
    });

    it('refuses as storage-full, stores and shows no part of the write, and serves reads', async () => {
      fillDisk();

      await expect(world.create('Grace')).rejects.toMatchObject({ code: 'storage-full', retry: 'safe' });
      await expect(world.replace(1, 'changed')).rejects.toMatchObject({ code: 'storage-full' });
      expect(world.names()).toEqual([[1, 'Ada']]);
      await world.reopenAfterPowerLoss().catch(() => undefined);
      world.disk.capacityBytes = Infinity;
      await world.reopenAfterPowerLoss();
      expect(world.names()).toEqual([[1, 'Ada']]);
    });

    it('given room again, accepts writes, and allots an id that no acknowledged document has', async () => {
      fillDisk();
      await Promise.allSettled([world.create('lost'), world.create('lost too')]);
      fillDisk(100_000);

      await world.create('Grace');

      expect(world.names()).toEqual([
        [1, 'Ada'],
        [2, 'Grace'],
      ]);
    });

    it('removes the pending state of the refused writes', async () => {
      fillDisk();
      await Promise.allSettled([world.delete(1), world.create('lost')]);
      fillDisk(100_000);

      expect(await refusals([world.replace(1, 'still there', 'Ada'), world.replace(2, 'never was')])).toEqual([
        'done',
        'not-found',
      ]);
    });

    it('judges a refusal again when the write that caused it failed for lack of room', async () => {
      fillDisk();
      const deleting = world.delete(1).catch((error: { code: string }) => error.code);
      const conditional = world.replace(1, 'second', 'Ada').catch((error: { code: string }) => error.code);
      world.disk.beforeCall = ({ operation }) => {
        if (operation === 'truncate') fillDisk(100_000);
        return Promise.resolve();
      };

      expect(await deleting).toBe('storage-full');
      expect(await conditional).toMatchObject({ done: true });
      expect(world.names()).toEqual([[1, 'second']]);
    });
  });

  it('given a disk that fails, stops the process, answers no write and refuses the writes that waited for it', async () => {
    await world.create('Ada');
    world.disk.plan({ nth: 1, operation: 'synchronize', in: '.log', code: 'EIO' });

    const outcomes = await Promise.allSettled([world.delete(1), world.replace(1, 'late')]);

    const unknown = { status: 'rejected', reason: { code: 'outcome-unknown', retry: 'unknown' } };
    expect(outcomes).toMatchObject([unknown, unknown]);
    expect(world.process.stops).toHaveLength(1);
  });

  it('given a closed store, refuses all writes as shutting-down, including those that waited for another write', async () => {
    await world.create('Ada');
    await world.store.close();

    const outcomes = await Promise.allSettled([world.delete(1), world.replace(1, 'late')]);

    const refused = { status: 'rejected', reason: { code: 'shutting-down' } };
    expect(outcomes).toMatchObject([refused, refused]);
  });
});
