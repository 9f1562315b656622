import { afterEach, describe, expect, it } from '@jest/globals';
import { resolve } from 'node:path';
import { PasswordHasher, startHashWorker } from '../../src/platform/passwords/index.js';
import type { HashWorker } from '../../src/platform/passwords/index.js';
import { RecordingLog } from '../support/recording-log.js';

const PROGRAM = resolve('dist/bundle/hasher.mjs');
const ARGON2ID = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/;

describe('the threads that hash passwords', () => {
  let hasher: PasswordHasher;
  afterEach(() => hasher.close());

  /** `kills`: how many workers are ended while they hash their first password. */
  function hasherOf(workers: number, kills = 0): { readonly log: RecordingLog; readonly started: HashWorker[] } {
    const log = new RecordingLog();
    const started: HashWorker[] = [];
    hasher = new PasswordHasher({
      ...{ workers, maxWaiting: 100, log },
      start: (events) => {
        const worker = startHashWorker(PROGRAM, events);
        started.push(worker);
        const isKilled = started.length <= kills;
        return {
          post: (task) => {
            worker.post(task);
            if (isKilled) void worker.end();
          },
          end: () => worker.end(),
        };
      },
    });
    return { log, started };
  }

  it('given passwords, hash each with argon2id and tell right from wrong', async () => {
    const { started } = hasherOf(2);
    const hashes = await Promise.all(['a', 'b', 'c', 'd'].map((password) => hasher.hash(password)));
    expect(hashes).toEqual(Array(4).fill(expect.stringMatching(ARGON2ID)));
    expect(await Promise.all(['c', 'd'].map((password) => hasher.matches(password, hashes[2] ?? '')))).toEqual([
      true,
      false,
    ]);
    expect(started).toHaveLength(2);
  });

  it('given a thread that is killed in a hash, do that hash again in another one, and those that wait', async () => {
    const { log, started } = hasherOf(1, 1);
    const hashes = await Promise.all(['a', 'b'].map((password) => hasher.hash(password)));
    expect(await hasher.matches('a', hashes[0] ?? '')).toBe(true);
    expect([started.length, log.warnings.length]).toEqual([2, 1]);
  });

  it('given two threads that are killed in one hash, refuse it with 503 and do the next', async () => {
    const { started } = hasherOf(1, 2);
    const [deadly, next] = [hasher.hash('a'), hasher.hash('b')];
    await expect(deadly).rejects.toMatchObject({ code: 'overloaded', retry: 'safe' });
    expect(await next).toMatch(ARGON2ID);
    expect(started).toHaveLength(3);
  });

  it('given close in a hash, refuse it and end', async () => {
    const { log } = hasherOf(1);
    const hash = hasher.hash('a');
    const refused = expect(hash).rejects.toMatchObject({ code: 'shutting-down' });
    await hasher.close();
    await refused;
    expect(log.warnings).toEqual([]);
  });
});
