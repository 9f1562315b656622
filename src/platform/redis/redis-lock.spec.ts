import { beforeEach, describe, expect, it } from '@jest/globals';
import { SeededRandom } from '../../../test/support/seeded-random.js';
import { type HeldLock, RedisLock } from './redis-lock.js';

const TTL_MS = 1_000;

/** Three masters, one key each, which can fail in the ways that real ones do. */
class Masters {
  readonly held = new Map<string, unknown>();
  readonly calls: string[] = [];
  keys = ['a', 'b', 'c'];
  readonly deaf = new Set<string>();
  /** Executes the command, but its answer is lost. */
  readonly mute = new Set<string>();

  keyOnEachMaster(): readonly string[] {
    return this.keys;
  }

  call(name: string, args: readonly unknown[]): Promise<unknown> {
    const key = String(name === 'set' ? args[0] : args[2]);
    this.calls.push(`${name} ${key}`);
    if (this.deaf.has(key)) return Promise.reject(new Error('no answer'));
    const reply = name === 'set' ? this.set(key, args[1]) : this.release(key, args[3]);
    return this.mute.has(key) ? Promise.reject(new Error('no answer')) : Promise.resolve(reply);
  }

  private set(key: string, token: unknown): unknown {
    if (this.held.has(key)) return null;
    this.held.set(key, token);
    return Buffer.from('OK');
  }

  private release(key: string, token: unknown): unknown {
    return this.held.get(key) === token && this.held.delete(key) ? 1 : 0;
  }
}

describe('RedisLock', () => {
  let masters: Masters;
  let nowMs: number;
  let lock: RedisLock;

  beforeEach(() => {
    masters = new Masters();
    nowMs = 0;
    const ports = { random: new SeededRandom(1), nowMs: () => nowMs };
    lock = new RedisLock(masters, ports, { name: 'drain', ttlMs: TTL_MS });
  });

  const acquire = async (): Promise<HeldLock> => {
    const outcome = await lock.acquire();
    if (typeof outcome === 'string') throw new Error(outcome);
    return outcome;
  };

  it('given free masters, is held on each of them until it is released', async () => {
    const held = await acquire();
    expect([...masters.held.keys()]).toEqual(['a', 'b', 'c']);
    expect(await lock.acquire()).toBe('held-elsewhere');

    await held.release();
    expect([...masters.held.keys()]).toEqual([]);
    await acquire();
  });

  it('given an attempt that fails, leaves the keys of the holder alone', async () => {
    await acquire();
    await lock.acquire();
    expect([...masters.held.keys()]).toEqual(['a', 'b', 'c']);
  });

  it.each([
    [1, 'granted'],
    [2, 'held-elsewhere'],
  ])('given %d of three keys held by another process, is %s', async (count, outcome) => {
    for (const key of ['a', 'b', 'c'].slice(0, count)) masters.held.set(key, 'another token');
    const got = await lock.acquire();
    expect(typeof got === 'string' ? got : 'granted').toBe(outcome);
    if (outcome !== 'granted') expect([...masters.held.values()]).toEqual(['another token', 'another token']);
  });

  it('given one master without an answer, is held; given two, is unavailable', async () => {
    masters.deaf.add('a');
    await (await acquire()).release();
    masters.deaf.add('b');
    expect(await lock.acquire()).toBe('unavailable');
    expect([...masters.held.keys()]).toEqual([]);
  });

  it('given answers that were lost after the commands were executed, releases those keys as well', async () => {
    for (const key of ['a', 'b']) masters.mute.add(key);
    expect(await lock.acquire()).toBe('unavailable');
    expect([...masters.held.keys()]).toEqual([]);
  });

  it('given no master, is unavailable', async () => {
    masters.keys = [];
    expect(await lock.acquire()).toBe('unavailable');
  });

  it('is no longer held, by its own clock, before the keys expire, whatever the nodes say', async () => {
    const held = await acquire();
    nowMs = 0.9 * TTL_MS - 1;
    expect(held.isHeld()).toBe(true);
    nowMs = 0.9 * TTL_MS;
    expect(held.isHeld()).toBe(false);
    expect(masters.calls.filter((call) => call.startsWith('set'))).toHaveLength(3);
  });

  it('given an attempt that took longer than the lock lives, is not held', async () => {
    const { call } = masters;
    masters.call = (name, args) => {
      nowMs += TTL_MS;
      return call.call(masters, name, args);
    };
    expect(await lock.acquire()).not.toHaveProperty('isHeld');
    expect([...masters.held.keys()]).toEqual([]);
  });
});
