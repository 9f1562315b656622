import { beforeEach, describe, expect, it } from '@jest/globals';
import { SeededRandom } from '../../../test/support/seeded-random.js';
import { SimulatedDisk } from '../../../test/support/simulated-disk.js';
import type { Disk } from '../../kernel/index.js';
import { NO_CRASH_SITES } from '../crash-sites/index.js';
import { clusterSecret, deriveKey, type SecretLocations } from './index.js';

const OURS = 'the secret of this installation';
const THEIRS = 'the secret of another installation';
const NEW_ONE = /^[\da-f]{64}$/;

describe('the cluster secret', () => {
  let warned: string[] = [];
  beforeEach(() => {
    warned = [];
  });

  /** A machine that keeps these secrets, by directory. */
  function machine(kept: Readonly<Record<string, string>>): SimulatedDisk {
    const made = new SimulatedDisk(new SeededRandom(7));
    for (const [directory, secret] of Object.entries(kept)) {
      made.plant(`${directory}/cluster-secret`, Buffer.from(`${secret}\n`));
    }
    return made;
  }

  function secretOn(
    on: SimulatedDisk,
    places: Partial<SecretLocations> = {},
    through: (disk: Disk) => Disk = (disk) => disk,
  ): Promise<string> {
    const log = { warn: (message: string) => warned.push(message) };
    const ports = { disk: through(on.attach()), random: new SeededRandom(3), crashSites: NO_CRASH_SITES, log };
    return clusterSecret(ports, {
      given: undefined,
      dataDirectory: '/data',
      replicaDirectories: ['/replicas/1', '/replicas/2'],
      keepIn: ['/data'],
      ...places,
    });
  }

  /** The first line of each file. */
  const keptOn = (on: SimulatedDisk): Record<string, string> =>
    Object.fromEntries([...on.image()].map(([path, bytes]) => [path, bytes.toString().split('\n')[0] ?? '']));

  it('given no copy, is a new one that every given place keeps, even through a loss of power', async () => {
    const bare = machine({});
    const secret = await secretOn(bare, { keepIn: ['/data', '/replicas/1'] });
    bare.losePower();

    expect(secret).toMatch(NEW_ONE);
    expect(keptOn(bare)).toEqual({ '/data/cluster-secret': secret, '/replicas/1/cluster-secret': secret });
    expect(await secretOn(bare)).toBe(secret);
  });

  it('given CLUSTER_SECRET, is that, and no file is read or written', async () => {
    const other = machine({ '/data': OURS });

    expect(await secretOn(other, { given: THEIRS, keepIn: ['/replicas/1'] })).toBe(THEIRS);
    expect(keptOn(other)).toEqual({ '/data/cluster-secret': OURS });
  });

  it("given a lost data directory, is the replicas' copy, and the new data directory keeps it", async () => {
    const lost = machine({ '/replicas/1': OURS, '/replicas/2': OURS });

    expect(await secretOn(lost)).toBe(OURS);
    expect(keptOn(lost)).toMatchObject({ '/data/cluster-secret': OURS });
  });

  it.each([['nothing'], ['NUL bytes'], ['three characters']])(
    'given a file with %s, is that of another copy; without one, refuses',
    async (what) => {
      const content = { nothing: '', 'NUL bytes': '\0'.repeat(82), 'three characters': 'abc' }[what]!;
      expect(await secretOn(machine({ '/data': content, '/replicas/2': OURS }))).toBe(OURS);

      const alone = machine({ '/data': content });
      await expect(secretOn(alone)).rejects.toMatchObject({ code: 'data-corrupt' });
      expect(keptOn(alone)).toEqual({ '/data/cluster-secret': content });
    },
  );

  it('given two different copies and no third, refuses in one line that names both files, and overwrites neither', async () => {
    for (const kept of [
      { '/replicas/1': OURS, '/replicas/2': THEIRS },
      { '/data': OURS, '/replicas/1': THEIRS },
    ]) {
      const torn = machine(kept);
      const before = keptOn(torn);
      const [one, other] = Object.keys(before);

      await expect(secretOn(torn, { keepIn: ['/data', '/replicas/1'] })).rejects.toMatchObject({
        code: 'misconfigured',
        message: expect.stringMatching(new RegExp(`${one} differ from ${other}, and no further copy decides: .*$`)),
      });
      expect(keptOn(torn)).toEqual(before);
    }
  });

  it.each([['/data'], ['/replicas/1'], ['/replicas/2']])(
    'given a different copy in %s only, is that of the majority, which replaces the copy, names the file and keeps its content',
    async (directory) => {
      const odd = machine({ '/data': OURS, '/replicas/1': OURS, '/replicas/2': OURS, [directory]: THEIRS });

      expect(await secretOn(odd, { keepIn: ['/data'], spreadTo: ['/replicas/1', '/replicas/2'] })).toBe(OURS);
      expect(warned).toEqual([
        expect.stringContaining(`the cluster secret in ${directory}/cluster-secret is damaged or differs`),
      ]);
      expect(keptOn(odd)).toMatchObject({
        [`${directory}/cluster-secret`]: OURS,
        [`${directory}/cluster-secret.outvoted`]: THEIRS,
      });
    },
  );

  it('given any bit flipped in one of two copies, is the other one', async () => {
    const whole = machine({});
    const secret = await secretOn(whole, { keepIn: ['/data', '/replicas/1'] });
    const bytes = whole.image().get('/data/cluster-secret')!;
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const damagedOne = machine({});
      damagedOne.plant('/data/cluster-secret', flipped);
      damagedOne.plant('/replicas/1/cluster-secret', Buffer.from(bytes));

      expect(await secretOn(damagedOne)).toBe(secret);
    }
  });

  it('given one damaged copy only, refuses with the file and the remedy, and changes nothing', async () => {
    const whole = machine({});
    await secretOn(whole);
    const bytes = Buffer.from(whole.image().get('/data/cluster-secret')!);
    bytes[0]! ^= 1;
    whole.plant('/data/cluster-secret', bytes);

    await expect(secretOn(whole)).rejects.toMatchObject({
      code: 'data-corrupt',
      message: expect.stringContaining('/data/cluster-secret: the cluster secret is damaged'),
    });
  });

  it('given a replica whose directory is not writable, names it, and the others get their copies', async () => {
    const barred = machine({ '/data': OURS });
    const refusesOne = (disk: Disk): Disk => {
      const ensureDirectory = (path: string): Promise<void> =>
        path === '/replicas/1' ? Promise.reject(new Error('EROFS: read-only')) : disk.ensureDirectory(path);
      return Object.assign(Object.create(disk) as Disk, { ensureDirectory });
    };

    expect(await secretOn(barred, { spreadTo: ['/replicas/1', '/replicas/2'] }, refusesOne)).toBe(OURS);
    expect(warned).toEqual(['cannot write a copy of the cluster secret to /replicas/1: EROFS: read-only']);
    expect(keptOn(barred)).toMatchObject({ '/replicas/2/cluster-secret': OURS });
  });

  it('never appears in a refusal', async () => {
    const refusal: unknown = await secretOn(machine({ '/replicas/1': OURS, '/replicas/2': THEIRS })).catch(
      (error: unknown) => error,
    );

    expect(String(refusal)).not.toContain(OURS);
    expect(String(refusal)).not.toContain(THEIRS);
  });

  it('gives different keys for different purposes, and the same key for the same purpose', () => {
    const [one, again, other] = ['append', 'append', 'hmac'].map((purpose) => deriveKey(OURS, purpose));

    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
  });
});
