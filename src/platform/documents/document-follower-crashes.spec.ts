import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CopiedHistory, copiedHistory } from '../../../test/support/copied-history.js';
import { FollowerIncarnation } from '../../../test/support/follower-incarnation.js';
import { FollowerWorld, hashOf, inChunks, stateAfter, type TestPromise } from '../../../test/support/follower-world.js';
import { PROMPT_TIMERS } from '../../../test/support/prompt-timers.js';
import { RecordingLog } from '../../../test/support/recording-log.js';
import { RecordingProcessControl } from '../../../test/support/recording-process-control.js';
import { rounds, someOf } from '../../../test/support/long-form.js';
import { forEachSeed, SeededRandom } from '../../../test/support/seeded-random.js';
import { SimulatedClock } from '../../../test/support/simulated-clock.js';
import { SimulatedDisk } from '../../../test/support/simulated-disk.js';
import { NO_CRASH_SITES } from '../crash-sites/index.js';
import { NodeDisk } from '../disk/index.js';
import { DocumentFollower } from './document-follower.js';
import { FOLLOWER_CRASH_SITES } from './follower-crash-sites.js';

/** A small size, so that the follower takes snapshots of its own. */
const OFTEN = 900;

describe('DocumentFollower, when its process dies', () => {
  let history: CopiedHistory;

  beforeAll(async () => {
    history = await copiedHistory(6);
  });

  /** Every order that a follower can receive. */
  const everything = async (follower: FollowerIncarnation): Promise<void> => {
    await follower.promise(1);
    await follower.follow(3);
    await follower.follow(2);
    await follower.receiveAndInstall();
    await follower.follow(4);
    await follower.promise(2);
    await follower.quarantine();
    await follower.follow(6);
    await follower.promise(3);
    await follower.receiveAndInstall();
    await follower.follow(100);
    await follower.close();
  };

  const incarnationOn = (seed: number): FollowerIncarnation =>
    new FollowerIncarnation(new FollowerWorld(new SimulatedDisk(new SeededRandom(seed)), OFTEN), history);

  it.each([
    ['the process is killed', false],
    ['power is lost', true],
  ])(
    'given that %s at any one disk call, has done the order completely or not at all, and completes all orders afterwards',
    async (_, isPowerLost) => {
      const whole = incarnationOn(1);
      await whole.begin();
      whole.world.disk.calls.length = 0;
      await everything(whole);
      const calls = whole.world.disk.calls.length;
      expect(calls).toBeGreaterThan(100);

      const all = Array.from({ length: calls + 1 }, (_call, index) => index + 1);
      for (const nth of someOf(all, calls / 2)) {
        const follower = incarnationOn(nth);
        await follower.begin();
        follower.world.disk.plan({ nth, code: 'killed' });
        await follower.until(everything);
        await follower.end(isPowerLost);
        expect([nth, ...(await follower.audit())]).toEqual([nth]);
        await follower.end(true);
        expect([nth, ...(await follower.audit())]).toEqual([nth]);

        await everything(follower);
        expect([nth, ...(await follower.audit())]).toEqual([nth]);
      }
    },
    120_000,
  );

  it.each(FOLLOWER_CRASH_SITES)('given %s, has done the order completely or not at all', async (site) => {
    let deaths = 0;
    for (let nth = 1; nth <= 2; nth += 1) {
      const follower = incarnationOn(nth);
      follower.world.dieAt = { site, nth };
      await follower.until(everything);
      deaths += follower.world.dieAt.nth === 0 ? 1 : 0;
      follower.world.dieAt = undefined;
      await follower.end(true);

      expect(await follower.audit()).toEqual([]);
      await everything(follower);
      expect(await follower.audit()).toEqual([]);
    }
    expect(deaths).toBeGreaterThan(0);
  });

  it('given any orders, restarts and crashes, keeps what it acknowledged and is a prefix of its primary', async () => {
    const step = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({ do: fc.constant('follow' as const), count: fc.integer({ min: 1, max: 6 }) }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ do: fc.constant('promise' as const), count: fc.integer({ min: 1, max: 9 }) }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('install' as const), count: fc.constant(0) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('set-aside' as const), count: fc.constant(0) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('die' as const), count: fc.integer({ min: 1, max: 30 }) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), count: fc.constant(0) }) },
    );
    let deaths = 0;
    const property = fc.asyncProperty(fc.nat(), fc.array(step, { maxLength: 25, size: 'max' }), async (seed, steps) => {
      const follower = incarnationOn(seed);
      await follower.begin();
      for (const { do: what, count } of steps) {
        if (what === 'die') follower.world.disk.plan({ nth: count, code: 'killed' });
        const isDead = await follower.until(async () => {
          if (what === 'follow') await follower.follow(count);
          if (what === 'promise') await follower.promise(count);
          if (what === 'install') await follower.receiveAndInstall();
          if (what === 'set-aside') await follower.quarantine();
          if (what === 'close') await follower.close();
        });
        if (!isDead && what !== 'close') continue;
        deaths += 1;
        await follower.end(count % 2 === 0);
        expect(await follower.audit()).toEqual([]);
      }
      await follower.end(true);
      expect(await follower.audit()).toEqual([]);
    });

    await fc.assert(property, { numRuns: rounds(40, 150) });
    expect(deaths).toBeGreaterThan(rounds(25, 100));
  }, 120_000);

  it('given a disk that loses a renamed promise, fails the audit for a lowered promise', async () => {
    const found: string[] = [];
    await forEachSeed(1, 10, async ({ seed }) => {
      const follower = incarnationOn(seed);
      await follower.begin();
      await follower.promise(1);
      const old = follower.world.disk.image().get('/replicas/5071/promise.json') ?? Buffer.alloc(0);
      await follower.promise(2);
      follower.world.disk.plant('/replicas/5071/promise.json', old);
      await follower.end(false);
      found.push(...(await follower.audit()));
    });

    expect(found).toContain('promised epoch 2 and is back at 1');
  });

  it('on a real disk, completes all orders over restarts', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'bifolio-follower-'));
    const open = (): Promise<DocumentFollower<TestPromise>> =>
      DocumentFollower.open(
        {
          disk: new NodeDisk(),
          crashSites: NO_CRASH_SITES,
          log: new RecordingLog(),
          clock: new SimulatedClock(),
          nextTurn: setImmediate,
          timers: PROMPT_TIMERS,
          process: new RecordingProcessControl(),
        },
        {
          directory: join(directory, 'replicas', '5071'),
          collections: [{ name: 'customers', counterField: 'orders_count' }],
          snapshotEveryBytes: OFTEN,
          journalReserveBytes: 1_000,
        },
      );
    let follower = await open();
    await follower.keepPromise({ epoch: 1 });
    await follower.follow(history.records.slice(0, 4));
    await follower.quarantine();
    await follower.follow(history.records.slice(0, 2));
    await follower.close();
    follower = await open();
    await follower.receiveSnapshot(inChunks(history.snapshot, 1_000));
    await follower.install();
    await follower.close();
    follower = await open();
    await follower.follow(history.records.slice(history.snapshotSeq));

    expect(follower.promise).toEqual({ epoch: 1 });
    expect(follower.position.seq).toBe(history.records.length);
    expect(await follower.captureState().stateHash()).toBe(await hashOf(stateAfter(history.records)));
    expect(await new NodeDisk().listDirectories(join(directory, 'replicas', '5071'))).toEqual([
      'documents',
      'incoming',
      'quarantined-2026-11-21T00-00-00.000Z',
    ]);
    await follower.close();
    rmSync(directory, { recursive: true });
  });
});
