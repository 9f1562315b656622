import { describe, expect, it } from '@jest/globals';
import { SimulatedDisk } from '../../../../test/support/simulated-disk.js';
import { SeededRandom } from '../../../../test/support/seeded-random.js';
import { newIntent, type Intent } from '../core/intent.js';
import { IntentFiles } from './intent-files.js';

const DIRECTORY = '/data/cluster';

const intent = (id: string, startedAtMs = 0): Intent =>
  newIntent(id, { kind: 'create', groupId: `group of ${id}` }, ['a:1', 'b:2'], startedAtMs);

async function store(
  disk = new SimulatedDisk(),
  prefix = 'me.',
): Promise<{
  readonly files: IntentFiles;
  readonly disk: SimulatedDisk;
  readonly sites: string[];
  reopen(): IntentFiles;
}> {
  const sites: string[] = [];
  const crashSites = { reach: (site: string) => void sites.push(site) };
  const open = (): IntentFiles => new IntentFiles({ disk: disk.attach(), crashSites }, DIRECTORY, prefix);
  await disk.attach().ensureDirectory(DIRECTORY);
  return { files: open(), disk, sites, reopen: open };
}

describe('the intents of a client', () => {
  it('are durable once they are stored, each in its own file, and removed durably once they are forgotten', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const { files, disk, reopen } = await store(new SimulatedDisk(new SeededRandom(seed)));
      await files.keep(intent('one'));
      await files.keep(intent('two'));
      await files.forget('one');
      disk.losePower();

      expect(await reopen().all()).toEqual([intent('two')]);
    }
  });

  it('are written, synchronised and renamed, and then their directory is synchronised, in that order', async () => {
    const { files, disk, sites } = await store();
    disk.calls.length = 0;
    await files.keep(intent('one'));
    await files.forget('one');

    expect(disk.calls.map(({ operation }) => operation)).toEqual([
      ...['open', 'truncate', 'write', 'synchronize', 'close', 'rename', 'synchronizeDirectory'],
      ...['remove', 'synchronizeDirectory'],
    ]);
    expect(sites).toEqual([
      'cluster.keep.before',
      'cluster.keep.after',
      'cluster.forget.before',
      'cluster.forget.after',
    ]);
  });

  it('given a crash at any step, are whole, either old or new', async () => {
    const later = { ...intent('one'), direction: 'backward' as const };
    const found = new Set<string>();
    for (let nth = 1; nth <= 7; nth += 1) {
      for (let seed = 1; seed <= 10; seed += 1) {
        const { files, disk, reopen } = await store(new SimulatedDisk(new SeededRandom(seed)));
        await files.keep(intent('one'));
        disk.plan({ nth, code: 'killed' });
        await expect(files.keep(later)).rejects.toMatchObject({ code: 'outcome-unknown' });
        disk.losePower();
        const [kept, ...more] = await reopen().all();

        expect(more).toEqual([]);
        expect([intent('one'), later]).toContainEqual(kept);
        found.add(kept!.direction);
      }
    }
    expect([...found].sort()).toEqual(['backward', 'undecided']);
  });

  it('are read oldest first, without those of other clients', async () => {
    const { files, disk } = await store();
    const others = await store(disk, 'other.');
    await others.files.keep(intent('not mine'));
    const mine = new IntentFiles({ disk: disk.attach(), crashSites: { reach: () => undefined } }, DIRECTORY, 'me.');
    for (const [id, at] of [
      ['b', 2],
      ['a', 3],
      ['c', 1],
    ] as const)
      await mine.keep(intent(id, at));

    expect((await mine.all()).map(({ id }) => id)).toEqual(['c', 'b', 'a']);
    expect(await mine.tidy()).toBe(false);
    await expect(files.all()).rejects.toThrow('dead');
  });

  it('given an incomplete file of a crash, ignore and remove it', async () => {
    const { files, disk } = await store();
    disk.plant(`${DIRECTORY}/me.one.json.tmp`, Buffer.from('{"format":1,'));
    disk.plant(`${DIRECTORY}/other.one.json.tmp`, Buffer.from('{'));

    expect(await files.all()).toEqual([]);
    expect(await files.tidy()).toBe(true);
    expect([...disk.image().keys()]).toEqual([`${DIRECTORY}/other.one.json.tmp`]);
  });

  it.each([
    ['ENOSPC', 'storage-full'],
    ['EIO', 'outcome-unknown'],
  ] as const)('that meet %s are not stored: %s, in one line that names the file', async (code, expected) => {
    const { files, disk } = await store();
    disk.plan({ nth: 1, operation: 'write', code });
    const keeping = files.keep(intent('one'));
    const message = `Cannot save the operation in ${DIRECTORY}/me.one.json: ${code}`;
    await expect(keeping).rejects.toMatchObject({ code: expected, message });
    disk.plan({ nth: 1, operation: 'synchronizeDirectory', code });
    await expect(files.forget('one')).rejects.toMatchObject({ code: expected, message });
    expect(await files.all()).toEqual([]);
  });

  it('keep every detail', async () => {
    const { files } = await store();
    const whole: Intent = {
      ...{ id: 'one', wanted: { kind: 'clear' }, startedAtMs: 5, direction: 'backward' },
      nodes: [
        { name: 'a:1', status: 'unknown', isTouched: true, plain: { before: ['ü\n', 'x'] }, cause: 'no answer' },
        { name: 'b:2', status: 'rolled-back', isTouched: false },
      ],
    };
    await files.keep(whole);

    expect(await files.all()).toEqual([whole]);
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '{"format":1'],
    ['another format', JSON.stringify({ format: 2, intent: intent('one') })],
    ['no nodes', JSON.stringify({ format: 1, intent: { ...intent('one'), nodes: [] } })],
    ['a status there is not', JSON.stringify({ format: 1, intent: intent('one') }).replace('untouched', 'fine')],
    ['something else', '[]'],
  ])('given a file with %s, are rejected with its name', async (_, text) => {
    const { files, disk } = await store();
    disk.plant(`${DIRECTORY}/me.one.json`, Buffer.from(text));

    await expect(files.all()).rejects.toMatchObject({ code: 'data-corrupt', retry: 'never' });
    await expect(files.all()).rejects.toThrow(`${DIRECTORY}/me.one.json`);
    expect(await files.tidy()).toBe(false);
  });
});
