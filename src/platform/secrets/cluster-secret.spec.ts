import { describe, expect, it } from '@jest/globals';
import { SeededRandom } from '../../../test/support/seeded-random.js';
import { SimulatedDisk } from '../../../test/support/simulated-disk.js';
import { NO_CRASH_SITES } from '../crash-sites/index.js';
import { clusterSecret, deriveKey, type SecretPlaces } from './index.js';

const OURS = 'the secret of this installation';
const THEIRS = 'the secret of another installation';
const NEW_ONE = /^[\da-f]{64}$/;

describe('the cluster secret', () => {
  /** A machine that keeps these secrets, by directory. */
  function machine(kept: Readonly<Record<string, string>>): SimulatedDisk {
    const made = new SimulatedDisk(new SeededRandom(7));
    for (const [directory, secret] of Object.entries(kept)) {
      made.plant(`${directory}/cluster-secret`, Buffer.from(`${secret}\n`));
    }
    return made;
  }

  function secretOn(on: SimulatedDisk, places: Partial<SecretPlaces> = {}): Promise<string> {
    const ports = { disk: on.attach(), random: new SeededRandom(3), crashSites: NO_CRASH_SITES };
    return clusterSecret(ports, {
      given: undefined,
      dataDirectory: '/data',
      replicaDirectories: ['/replicas/1', '/replicas/2'],
      keepIn: ['/data'],
      ...places,
    });
  }

  const keptOn = (on: SimulatedDisk): Record<string, string> =>
    Object.fromEntries([...on.image()].map(([path, bytes]) => [path, bytes.toString().trim()]));

  it('given nothing anywhere, is a new one that every asked place keeps, also through a loss of power', async () => {
    const bare = machine({});
    const secret = await secretOn(bare, { keepIn: ['/data', '/replicas/1'] });
    bare.losePower();

    expect(secret).toMatch(NEW_ONE);
    expect(keptOn(bare)).toEqual({ '/data/cluster-secret': secret, '/replicas/1/cluster-secret': secret });
    expect(await secretOn(bare)).toBe(secret);
  });

  it('given one in the environment, is that one, and none is read or written', async () => {
    const other = machine({ '/data': OURS });

    expect(await secretOn(other, { given: THEIRS, keepIn: ['/replicas/1'] })).toBe(THEIRS);
    expect(keptOn(other)).toEqual({ '/data/cluster-secret': OURS });
  });

  it('given a lost data directory, is the one that the replicas kept, and the new data directory keeps it', async () => {
    const lost = machine({ '/replicas/1': OURS, '/replicas/2': OURS });

    expect(await secretOn(lost)).toBe(OURS);
    expect(keptOn(lost)).toMatchObject({ '/data/cluster-secret': OURS });
  });

  it('given an empty file, as a crash may leave it, looks on', async () => {
    expect(await secretOn(machine({ '/data': '', '/replicas/2': OURS }))).toBe(OURS);
  });

  it('given replicas that disagree and no data directory, refuses in one line that names both files', async () => {
    const torn = machine({ '/replicas/1': OURS, '/replicas/2': THEIRS });

    await expect(secretOn(torn)).rejects.toMatchObject({
      code: 'misconfigured',
      message: expect.stringMatching(/^\/replicas\/1\/cluster-secret and \/replicas\/2\/cluster-secret differ: .*$/),
    });
    expect(keptOn(torn)).not.toHaveProperty('/data/cluster-secret');
  });

  it('given a replica that keeps another one than the data directory, refuses and overwrites neither', async () => {
    const foreign = machine({ '/data': OURS, '/replicas/1': THEIRS });
    const before = keptOn(foreign);

    await expect(secretOn(foreign, { keepIn: ['/replicas/1'] })).rejects.toMatchObject({ code: 'misconfigured' });
    expect(keptOn(foreign)).toEqual(before);
  });

  it('never appears in a refusal', async () => {
    const refusal: unknown = await secretOn(machine({ '/replicas/1': OURS, '/replicas/2': THEIRS })).catch(
      (error: unknown) => error,
    );

    expect(String(refusal)).not.toContain(OURS);
    expect(String(refusal)).not.toContain(THEIRS);
  });

  it('gives different keys for different purposes, and the same one for the same', () => {
    const [one, again, other] = ['append', 'append', 'hmac'].map((purpose) => deriveKey(OURS, purpose));

    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
  });
});
