import { describe, expect, it } from '@jest/globals';
import type { HashReply, HashTask } from './hash-task.js';
import type { HashWorker, HashWorkerEvents } from './hash-worker.js';
import { PasswordHasher } from './password-hasher.js';

/** A worker that does what the test says, when it says so. */
class ToldWorker implements HashWorker {
  readonly tasks: HashTask[] = [];
  hasEnded = false;

  constructor(readonly events: HashWorkerEvents) {}

  post(task: HashTask): void {
    this.tasks.push(task);
  }

  reply(reply: HashReply): void {
    this.events.replied(reply);
  }

  end(): Promise<void> {
    this.hasEnded = true;
    this.events.died('ended');
    return Promise.resolve();
  }
}

function hasherOf(workers: number, maxWaiting = 10) {
  const started: ToldWorker[] = [];
  const warnings: string[] = [];
  const hasher = new PasswordHasher({
    ...{ workers, maxWaiting, log: { warn: (message, details) => warnings.push(JSON.stringify([message, details])) } },
    start: (events) => {
      const worker = new ToldWorker(events);
      started.push(worker);
      return worker;
    },
  });
  return { hasher, started, warnings };
}

describe('a password hasher', () => {
  it('given no password, starts no worker', () => {
    expect(hasherOf(2).started).toEqual([]);
  });

  it('given more passwords than workers, hashes as many at once as there are workers, and the others in order', async () => {
    const { hasher, started } = hasherOf(2);
    const hashes = ['a', 'b', 'c', 'd'].map((password) => hasher.hash(password));
    expect([started.map(({ tasks }) => tasks), hasher.waitingCount]).toEqual([
      [[{ password: 'a' }], [{ password: 'b' }]],
      2,
    ]);

    started[1]?.reply({ hash: 'B' });
    started[1]?.reply({ hash: 'C' });
    started[0]?.reply({ hash: 'A' });
    started[1]?.reply({ hash: 'D' });

    expect(await Promise.all(hashes)).toEqual(['A', 'B', 'C', 'D']);
    expect(started).toHaveLength(2);
  });

  it('given a hash to compare with, says whether the password matches', async () => {
    const { hasher, started } = hasherOf(1);
    const answers = [hasher.matches('a', 'A'), hasher.matches('b', 'A')];
    started[0]?.reply({ matches: true });
    started[0]?.reply({ matches: false });

    expect(await Promise.all(answers)).toEqual([true, false]);
    expect(started[0]?.tasks).toEqual([
      { password: 'a', hash: 'A' },
      { password: 'b', hash: 'A' },
    ]);
  });

  it('given a full queue, refuses one more with 429 and hashes those that wait', async () => {
    const { hasher, started } = hasherOf(1, 1);
    const [running, waiting] = [hasher.hash('a'), hasher.hash('b')];

    await expect(hasher.hash('c')).rejects.toMatchObject({
      code: 'too-many-hashes',
      retry: 'safe',
      retryAfterSeconds: 5,
    });
    started[0]?.reply({ hash: 'A' });
    started[0]?.reply({ hash: 'B' });
    expect(await Promise.all([running, waiting])).toEqual(['A', 'B']);
  });

  it('given a worker that dies in a hash, has another one do that hash again', async () => {
    const { hasher, started, warnings } = hasherOf(1);
    const [first, second] = [hasher.hash('secret'), hasher.hash('other')];

    started[0]?.events.died('exit code 1');
    started[1]?.reply({ hash: 'S' });
    started[1]?.reply({ hash: 'O' });

    expect(await Promise.all([first, second])).toEqual(['S', 'O']);
    expect(started.map(({ tasks }) => tasks.map(({ password }) => password))).toEqual([
      ['secret'],
      ['secret', 'other'],
    ]);
    expect(warnings.join()).toContain('exit code 1');
    expect(warnings.join()).not.toContain('secret');
  });

  it('given a password with which two workers die, refuses it with 503 and hashes the next', async () => {
    const { hasher, started } = hasherOf(1);
    const [deadly, next] = [hasher.hash('deadly'), hasher.hash('next')];
    const refused = expect(deadly).rejects.toMatchObject({ code: 'overloaded', retry: 'safe' });

    started[0]?.events.died('exit code 1');
    started[1]?.events.died('exit code 1');
    started[2]?.reply({ hash: 'N' });

    await refused;
    expect(await next).toBe('N');
  });

  it('given a worker that dies between two hashes, starts another one for the next', async () => {
    const { hasher, started } = hasherOf(1);
    const first = hasher.hash('a');
    started[0]?.reply({ hash: 'A' });
    started[0]?.events.died('exit code 1');
    const second = hasher.hash('b');
    started[1]?.reply({ hash: 'B' });

    expect(await Promise.all([first, second])).toEqual(['A', 'B']);
  });

  it('given a task that fails, refuses it with 503', async () => {
    const { hasher, started } = hasherOf(1);
    const failing = [hasher.hash('a'), hasher.matches('a', 'no hash')];
    const refused = Promise.all(failing.map((one) => expect(one).rejects.toMatchObject({ code: 'overloaded' })));
    started[0]?.reply({ failed: true });
    started[0]?.reply({ failed: true });
    await refused;
  });

  it('given close, ends the workers, refuses what runs, waits or comes later, and starts no worker again', async () => {
    const { hasher, started, warnings } = hasherOf(1);
    const unfinished = [hasher.hash('a'), hasher.hash('b')];
    const refused = Promise.all(
      unfinished.map((one) => expect(one).rejects.toMatchObject({ code: 'shutting-down', retry: 'safe' })),
    );
    await hasher.close();

    await refused;
    await expect(hasher.hash('c')).rejects.toMatchObject({ code: 'shutting-down' });
    expect([started.map(({ hasEnded }) => hasEnded), warnings]).toEqual([[true], []]);
  });
});
