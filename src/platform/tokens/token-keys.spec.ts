import { beforeEach, describe, expect, it } from '@jest/globals';
import { RecordingLog } from '../../../test/support/recording-log.js';
import { SeededRandom } from '../../../test/support/seeded-random.js';
import { SimulatedClock } from '../../../test/support/simulated-clock.js';
import { SimulatedDisk } from '../../../test/support/simulated-disk.js';
import { SimulatedTimers } from '../../../test/support/simulated-timers.js';
import { eventually } from '../../../test/support/eventually.js';
import { TokenKeys } from './index.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LIFETIME_MS = 5 * HOUR_MS;
const FILE = '/data/token-keys.json';

describe('token keys', () => {
  let disk: SimulatedDisk;
  let clock: SimulatedClock;
  let timers: SimulatedTimers;
  let log: RecordingLog;
  beforeEach(() => {
    disk = new SimulatedDisk(new SeededRandom(7));
    clock = new SimulatedClock();
    timers = new SimulatedTimers();
    log = new RecordingLog();
  });

  const open = (): Promise<TokenKeys> =>
    TokenKeys.open({ disk: disk.attach(), clock, timers, log }, { directory: '/data', renewAfterMs: DAY_MS });
  const kept = (): { readonly keys: readonly { readonly jwk: { readonly d: string } }[] } =>
    JSON.parse(String(disk.image().get(FILE))) as never;

  it('given a token of theirs, read whom it is for and what it is good for', async () => {
    const keys = await open();
    const token = await keys.sign({ subject: '7', scope: 'user' }, LIFETIME_MS);

    expect(await keys.verify(token)).toEqual({ subject: '7', scope: 'user' });
    expect(await keys.verify(await keys.sign({ scope: 'register' }, LIFETIME_MS))).toEqual({
      ...{ subject: undefined, scope: 'register' },
    });
  });

  it('given a token one second before its end, accept it, and at its end no longer', async () => {
    const keys = await open();
    const token = await keys.sign({ scope: 'user' }, LIFETIME_MS);
    clock.advance(LIFETIME_MS - 1_000);
    expect(await keys.verify(token)).toBeDefined();
    clock.advance(1_000);
    expect(await keys.verify(token)).toBeUndefined();
  });

  it('given a token that was changed, has no signature, or is none, refuse it', async () => {
    const keys = await open();
    const [header = '', payload = '', signature = ''] = (await keys.sign({ scope: 'user' }, LIFETIME_MS)).split('.');
    const other = Buffer.from(payload, 'base64url').toString().replace('user', 'root');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    for (const token of [
      `${header}.${Buffer.from(other).toString('base64url')}.${signature}`,
      `${none}.${payload}.`,
      ...['', 'x', `${header}.${payload}`],
    ]) {
      expect(await keys.verify(token)).toBeUndefined();
    }
  });

  it('given a token of another installation, refuse it', async () => {
    const keys = await open();
    disk = new SimulatedDisk(new SeededRandom(8));
    const others = await open();
    expect(await keys.verify(await others.sign({ scope: 'user' }, LIFETIME_MS))).toBeUndefined();
  });

  it('given a loss of power right after the first start, accept its tokens afterwards', async () => {
    const token = await (await open()).sign({ scope: 'user' }, LIFETIME_MS);
    disk.losePower();
    expect(await (await open()).verify(token)).toEqual({ scope: 'user' });
  });

  it('given a start after the present key has grown old, sign with a new one and accept the former one', async () => {
    const first = await open();
    const token = await first.sign({ scope: 'user' }, 3 * DAY_MS);
    clock.advance(DAY_MS);
    const renewed = await open();
    expect(await renewed.verify(token)).toBeDefined();
    expect(await first.verify(await renewed.sign({ scope: 'user' }, LIFETIME_MS))).toBeUndefined();

    disk.losePower();
    expect(await (await open()).verify(token)).toBeDefined();
    clock.advance(DAY_MS);
    expect(await (await open()).verify(token)).toBeUndefined();
    expect(kept().keys).toHaveLength(2);
  });

  it('given a key that grows old while the process runs, renew it without a restart', async () => {
    const keys = await open();
    const token = await keys.sign({ scope: 'user' }, 3 * DAY_MS);
    const [before] = kept().keys;
    clock.advance(DAY_MS);
    timers.pass(HOUR_MS);
    await eventually(() => {
      expect(log.entries.map(({ message }) => message).join()).toContain('was renewed');
    });
    expect(await keys.verify(token)).toBeDefined();
    expect(kept().keys.map(({ jwk }) => jwk.d === before?.jwk.d)).toEqual([false, true]);
  });

  it('given a disk that refuses a renewal, use the present key on and say so', async () => {
    const keys = await open();
    disk.plan({ nth: 1, operation: 'write', code: 'ENOSPC' });
    clock.advance(DAY_MS);
    timers.pass(HOUR_MS);
    await eventually(() => {
      expect(log.warnings.join()).toContain('could not be renewed');
    });
    expect(await keys.verify(await keys.sign({ scope: 'user' }, LIFETIME_MS))).toBeDefined();
    expect(kept().keys).toHaveLength(1);
  });

  it.each(['', 'hidden text', '{"format":1,"keys":[]}', '{"format":2,"keys":[]}'])(
    'given the file %j, refuse to start, naming the file and not its content',
    async (content) => {
      disk.plant(FILE, Buffer.from(content));
      const error = await open().catch((thrown: unknown) => thrown as Error);
      expect(error).toMatchObject({ code: 'data-corrupt', message: expect.stringContaining(FILE) });
      expect(JSON.stringify(error) + (error as Error).message).not.toContain('hidden text');
    },
  );

  it('given close, look no more', async () => {
    (await open()).close();
    expect(timers.pending).toBe(0);
  });
});
