import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '../../src/platform/nodes/index.js';
import { clusterAccess, freeNodePorts, missingOf, type NodeView, viewsOf } from '../../src/platform/redis/index.js';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';
import { firstNodePort } from '../support/ports.js';
import { describeOnRedis, describeWithRedis } from '../support/redis-cluster.js';
import { runToEnd, StartProcess } from '../support/start-process.js';

const READY = /To stop/;
const NUMBERS = [1, 2, 3, 4, 5, 6];

describeWithRedis('npm start with a Redis Cluster', () => {
  let data: string;
  let settings: { readonly REDIS: string; readonly REDIS_CLUSTER_PORTS: string };

  beforeEach(async () => {
    data = temporaryDirectory();
    const first = firstNodePort();
    const ports = await freeNodePorts(NUMBERS.map((number) => first + number));
    settings = { REDIS: 'auto', REDIS_CLUSTER_PORTS: ports.join(',') };
  });

  afterEach(async () => {
    const { code } = await runToEnd('stop', data, { args: ['--force'] });
    const left = pids().filter(isAlive);
    removeDirectory(data);
    expect([code, left]).toEqual([0, []]);
  });

  async function start(): Promise<StartProcess> {
    const run = new StartProcess('start', data, settings);
    await run.prints(READY);
    return run;
  }

  function pids(): readonly number[] {
    return NUMBERS.filter((number) => existsSync(noteOf(number))).map(pidOf);
  }

  function pidOf(number: number): number {
    return (JSON.parse(readFileSync(noteOf(number), 'utf8')) as { readonly pid: number }).pid;
  }

  function noteOf(number: number): string {
    return join(data, `redis/node-${String(number)}.json`);
  }

  /** Waits until the cluster is whole. */
  async function wholeViews(): Promise<readonly NodeView[]> {
    const access = clusterAccess({ nodes: [], directory: join(data, 'redis') });
    if (!access) throw new Error('no cluster is noted');
    return eventually(
      async () => {
        const views = await viewsOf(access.nodes, access.password);
        expect(missingOf(access.nodes, views)).toBeUndefined();
        return views;
      },
      { withinMs: 60_000, everyMs: 100 },
    );
  }

  /** Who is master of a pair depends on which of the two was up first; that the pair has these slots does not. */
  const shapeOf = (views: readonly NodeView[]): unknown => {
    const pairs = NUMBERS.slice(0, 3).map((number) => [views[number - 1], views[number + 2]]);
    return pairs.map((pair) => ({
      ids: pair.map((view) => view?.itself.id),
      slots: pair.flatMap((view) => view?.itself.slots),
    }));
  };

  it('forms it, shows a row per node, and stops it with the rest', async () => {
    const run = await start();
    await wholeViews();
    const nodes = pids();

    for (const number of NUMBERS)
      expect(run.printed).toMatch(new RegExp(`Redis ${String(number)} +│ redis://127\\.0\\.0\\.1:`));
    const status = await runToEnd('redisStatus', data, settings);
    expect([status.code, status.printed]).toEqual([0, expect.stringContaining('The Redis Cluster is whole')]);
    const key = await runToEnd('redisStatus', data, { ...settings, args: ['--key', 'books:42'] });
    expect([key.code, key.printed]).toEqual([
      0,
      expect.stringMatching(/^books:42 hashes to slot 4184, on 127\.0\.0\.1:\d+; replica: 127\.0\.0\.1:\d+\.\n$/),
    ]);

    process.kill(run.pid, 'SIGINT');
    expect(await run.exited).toEqual({ code: 0, signal: null });
    expect(nodes.filter(isAlive)).toEqual([]);
  });

  it('given kill -9 of a master, starts it again with its identity, beside the node that took over', async () => {
    const run = await start();
    const before = shapeOf(await wholeViews());
    process.kill(pidOf(1), 'SIGKILL');
    await run.prints(/Redis 1 \(\d+\) was ended by SIGKILL\. Starting it again[^]*Redis 1 \(\d+\) is back at redis:/);

    expect(shapeOf(await wholeViews())).toEqual(before);
  });

  it('after a stop, or after kill -9 of everything, joins the same nodes again with their slots', async () => {
    const first = await start();
    const before = shapeOf(await wholeViews());
    process.kill(first.pid, 'SIGINT');
    await first.exited;

    const second = await start();
    expect(shapeOf(await wholeViews())).toEqual(before);
    const app = second.app.pid;
    for (const pid of [second.pid, app, ...pids()]) process.kill(pid, 'SIGKILL');
    await second.exited;

    await start();
    expect(shapeOf(await wholeViews())).toEqual(before);
  });

  it('given kill -9 of npm start alone, is watched again by the next one, begins anew when its files are removed, and the next stop finds it without them', async () => {
    const first = await start();
    await wholeViews();
    const nodes = pids();
    process.kill(first.pid, 'SIGKILL');
    await first.exited;
    rmSync(join(data, 'redis/node-5'), { recursive: true });

    const second = await start();

    expect(second.printed).toMatch(/^Watching again .*: The app .*, Redis 1 \(\d+\) \(pid \d+\), .*\), Redis 6 \(/);
    expect(second.printed).not.toMatch(/Redis 5 \(\d+\) \(pid/);
    expect(pids().filter((pid) => !nodes.includes(pid))).toEqual([pidOf(5)]);
    await wholeViews();

    rmSync(join(data, 'redis'), { recursive: true });
    await second.prints(/node-6 was removed: it is made anew\)[^]*Redis 6 \(\d+\) is back/);
    await wholeViews();
    const others = pids();
    expect([others.length, nodes.filter(isAlive)]).toEqual([6, []]);

    process.kill(second.pid, 'SIGKILL');
    await second.exited;
    rmSync(join(data, 'redis'), { recursive: true });
    expect(await runToEnd('stop', data, settings)).toEqual({ code: 0, printed: 'Stopped.\n' });
    expect(others.filter(isAlive)).toEqual([]);
  });

  it('given a Redis server that does not exist, says so in one line and serves without Redis', async () => {
    const run = new StartProcess('start', data, { ...settings, REDIS_SERVER_BIN: '/nowhere/redis-server' });
    await run.prints(READY);

    expect(run.printed).toMatch(/^REDIS_SERVER_BIN=\/nowhere\/redis-server is not a program: .*\nBifolio is ready\.\n/);
    expect((await fetch(`${run.app.url}/books`)).status).toBe(200);
    const status = await runToEnd('redisStatus', data, settings);
    expect([status.code, status.printed]).toEqual([1, expect.stringMatching(/^No Redis Cluster runs here\./)]);
  });
});

describeOnRedis('npm run redis:status with a cluster that npm start does not run', (cluster) => {
  let data: string;

  beforeEach(() => {
    data = temporaryDirectory();
  });

  afterEach(() => {
    removeDirectory(data);
  });

  const statusWith = (password: string): ReturnType<typeof runToEnd> => {
    const [seed] = cluster().addresses.split(',') as [string];
    const settings = { REDIS: 'auto', REDIS_CLUSTER_NODES: seed, REDIS_PASSWORD: password };
    return runToEnd('redisStatus', data, settings);
  };

  it('given one of its nodes, shows all', async () => {
    const { code, printed } = await statusWith(cluster().password);

    expect([code, printed]).toEqual([0, expect.stringMatching(/^The Redis Cluster is whole: 3 masters /)]);
    for (const { port } of cluster().nodes) expect(printed).toContain(`127.0.0.1:${String(port)} │`);
  });

  it.each([
    [
      'another password',
      'not the password',
      /^127\.0\.0\.1:\d+ refuses the password: set REDIS_PASSWORD to [^\n]*\.\n$/,
    ],
    ['no password', '', /^127\.0\.0\.1:\d+ asks for a password: set REDIS_PASSWORD to [^\n]*\.\n$/],
  ])('given %s, says so on one line that names the node and the setting', async (_, password, line) => {
    const { code, printed } = await statusWith(password);

    expect([code, printed]).toEqual([1, expect.stringMatching(line)]);
  });
});
