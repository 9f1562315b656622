import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../../test/support/eventually.js';
import { firstNodePort } from '../../../test/support/ports.js';
import { parseConfig } from '../../config/index.js';
import { type FileLayout, fileLayoutOf } from '../../platform/nodes/index.js';
import { clusterAccess, configFile, freeNodePorts } from '../../platform/redis/index.js';
import { begin, decide } from './managed-process-core.js';
import type { Message, ProcessDescription } from './process-kind.js';
import { joining, REDIS_KIND } from './redis-nodes.js';
import { serverFor } from './redis-obstacles.js';
import { endLeftBehind, runningOf } from './stop.js';

const NO_NODES = /^Redis cannot be used \([^\n]*\/redis[^\n]*\): the cache is in memory alone\.[^\n]*REDIS=off\.$/;
/** Any program will do, because nothing is started. */
const SERVER = process.execPath;

describe('the Redis nodes of npm start', () => {
  let data: string;
  let printed: Message[];
  let ports: readonly number[];

  beforeEach(async () => {
    data = mkdtempSync(join(tmpdir(), 'bifolio-redis-nodes-'));
    printed = [];
    const first = firstNodePort();
    ports = await freeNodePorts(Array.from({ length: 6 }, (_, index) => first + index));
  });

  afterEach(() => {
    rmSync(data, { recursive: true });
  });

  const layout = (): FileLayout => fileLayoutOf({ dataDirectory: data, replicasDirectory: join(data, 'replicas') });
  const described = async (settings: Readonly<Record<string, string>>): Promise<readonly ProcessDescription[]> => {
    const environment = { DATA_DIR: data, REDIS_CLUSTER_PORTS: ports.join(','), ...settings };
    return REDIS_KIND.processes(parseConfig(environment), layout(), (message) => printed.push(message));
  };
  const announced = async (settings: Readonly<Record<string, string>>): Promise<readonly ProcessDescription[]> => {
    const processes = await described(settings);
    REDIS_KIND.announce?.(processes, layout(), (message) => printed.push(message));
    return processes;
  };
  const access = (): ReturnType<typeof clusterAccess> => clusterAccess({ nodes: [], directory: join(data, 'redis') });

  it('are six, and others find their addresses and the password', async () => {
    const nodes = await announced({ REDIS_SERVER_BIN: SERVER });

    expect(nodes.map(({ name }) => name)).toEqual(ports.map((port, index) => `Redis ${index + 1} (${port})`));
    expect(access()?.nodes).toEqual(ports.map((port) => ({ host: '127.0.0.1', port })));
    expect(access()?.password).toMatch(/^[\da-f]{64}$/);
    expect(printed).toEqual([]);
  });

  it('keep the password of the first start, in a file that only the owner reads and that no command line shows', async () => {
    const [first] = await announced({ REDIS_SERVER_BIN: SERVER });
    const password = access()?.password ?? '';
    await announced({ REDIS_SERVER_BIN: SERVER });

    expect(access()?.password).toBe(password);
    const file = join(data, 'redis/password.conf');
    expect(readFileSync(file, 'utf8')).toContain(`requirepass ${password}`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(first?.args).toContain(file);
    expect(JSON.stringify([first?.args, first?.environment])).not.toContain(password);
  });

  it('of a start that is refused, change nothing that others read', async () => {
    await announced({ REDIS_SERVER_BIN: SERVER });
    const noted = access();
    await described({ REDIS: 'off' });
    await described({ REDIS_SERVER_BIN: SERVER, REDIS_CLUSTER_PORTS: ports.map((port) => port + 1_000).join(',') });

    expect(access()).toEqual(noted);
  });

  it.each([
    ['REDIS is off', { REDIS: 'off', REDIS_SERVER_BIN: SERVER }],
    ['another cluster is named, and nothing uses it', { REDIS_CLUSTER_NODES: '127.0.0.1:1', CACHE: 'off' }],
  ])('when %s, are none, and no one is told of earlier ones', async (_, settings) => {
    await announced({ REDIS_SERVER_BIN: SERVER });

    expect(await announced(settings)).toEqual([]);
    expect(existsSync(join(data, 'redis/cluster.json'))).toBe(false);
    expect(printed).toEqual([]);
  });

  it.each([
    [
      'the given server does not exist',
      { REDIS_SERVER_BIN: '/nowhere/redis-server' },
      /^REDIS_SERVER_BIN=\/nowhere\/redis-server is not a program: .* in memory alone\..*REDIS=off\.$/,
    ],
    [
      'no server is found',
      { PATH: '/nowhere' },
      /^There is no redis-server on this machine: .* "npm run setup" installs it, REDIS=off does without\.$/,
    ],
  ])(
    'when %s, are none, with one line that says what to do',
    async (_, { PATH, ...settings }: Record<string, string>, line) => {
      const before = process.env['PATH'];
      process.env['PATH'] = PATH ?? before;
      try {
        expect(await announced(settings)).toEqual([]);
      } finally {
        process.env['PATH'] = before;
      }
      expect(printed).toEqual([{ text: expect.stringMatching(line), isTrouble: true }]);
    },
  );

  it('given a port that another program has, move to no port that another setting names', async () => {
    const [first = 0] = ports;
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(first, '127.0.0.1', resolve));
    try {
      const others = [6, 7].map((step) => first + step);
      await announced({ REDIS_SERVER_BIN: SERVER, PORT: String(others[0]), REPLICA_PORTS: String(others[1]) });

      expect(others).not.toContain(access()?.nodes[0]?.port);
      expect(access()?.nodes).toHaveLength(6);
    } finally {
      server.close();
    }
  });

  it.each<readonly [string, (port: number) => Record<string, string>, RegExp]>([
    ['PORT', (port) => ({ PORT: String(port) }), /belongs to REDIS_CLUSTER_PORTS and to PORT:/],
    [
      'REPLICA_PORTS',
      (port) => ({ REPLICA_PORTS: `1,${port}` }),
      /belongs to REDIS_CLUSTER_PORTS and to REPLICA_PORTS:/,
    ],
    [
      'REPLICA_NODES',
      (port) => ({ REPLICA_NODES: `a:1,localhost:${port}` }),
      /to REDIS_CLUSTER_PORTS and to REPLICA_NODES:/,
    ],
    ['NODES', (port) => ({ NODES: `[::1]:${port}` }), /to REDIS_CLUSTER_PORTS and to NODES:/],
    [
      'APP_ADDRESSES',
      (port) => ({ APP_ADDRESSES: `127.0.0.1:${port}` }),
      /to REDIS_CLUSTER_PORTS and to APP_ADDRESSES:/,
    ],
    [
      'ADVERTISED_URL',
      (port) => ({ ADVERTISED_URL: `http://localhost:${port}` }),
      /to REDIS_CLUSTER_PORTS and to ADVERTISED_URL:/,
    ],
  ])('given one of their ports in %s, are none, and a line names both settings', async (_, settings, line) => {
    const [first = 0, second = 0] = ports;

    expect(await announced({ REDIS_SERVER_BIN: SERVER, ...settings(second) })).toEqual([]);
    expect(await announced({ REDIS_SERVER_BIN: SERVER, ...settings(first + 10_000) })).toEqual([]);

    expect(access()).toBeUndefined();
    expect(printed[0]).toEqual({ text: expect.stringMatching(line), isTrouble: true });
    expect(printed[0]?.text).toMatch(
      new RegExp(`^misconfigured: port ${second} .*memory alone\\. Give each [^\n]*\\.$`),
    );
    const bus = `port ${first + 10_000} belongs to ${_}, and the node on port ${first} of REDIS_CLUSTER_PORTS needs it too`;
    expect(printed[1]?.text).toContain(bus);
  });

  it('given two ports of which one is the other plus 10000, are none, and a line names both', async () => {
    const [first = 0] = ports;
    const clashing = [first, first + 10_000, ...ports.slice(2)].join(',');

    expect(await announced({ REDIS_SERVER_BIN: SERVER, REDIS_CLUSTER_PORTS: clashing })).toEqual([]);
    const line = `misconfigured: port ${first + 10_000} belongs to REDIS_CLUSTER_PORTS, and the node on port ${first} of`;
    expect(printed).toEqual([{ text: expect.stringContaining(line), isTrouble: true }]);
  });

  it.each<readonly [string, Record<string, string>, number, readonly RegExp[]]>([
    [
      'no cache and no limit',
      { CACHE: 'off' },
      0,
      [/^CACHE=off, and no RATE_LIMIT applies: nothing uses Redis, so no node/],
    ],
    [
      'no cache, but a limit',
      { CACHE: 'off', RATE_LIMIT: '60' },
      6,
      [/^CACHE=off: the Redis nodes run for RATE_LIMIT alone/],
    ],
    ['a limit and a cache', { RATE_LIMIT: '60' }, 6, []],
    ['no ports', { REDIS_CLUSTER_PORTS: '' }, 0, []],
  ])('given %s, run when something uses them, and a line says what', async (_, settings, count, lines) => {
    expect(await announced({ REDIS_SERVER_BIN: SERVER, ...settings })).toHaveLength(count);
    expect(printed.map(({ text }) => text)).toEqual(lines.map((line) => expect.stringMatching(line)));
  });

  it('given a configuration that is missing, are none, and a line names the file', () => {
    const config = parseConfig({ DATA_DIR: data, REDIS_SERVER_BIN: SERVER });

    expect(serverFor(config, 7, (message) => printed.push(message))).toBeUndefined();
    const line = `${configFile(7)} is missing: the cache is in memory alone. "git checkout cluster-config" puts it back,`;
    expect(printed).toEqual([{ text: expect.stringContaining(line), isTrouble: true }]);
  });

  it.each<readonly [string, () => void]>([
    ['a file in place of their directory', () => writeFileSync(join(data, 'redis'), '')],
    ['a directory in place of the password', () => mkdirSync(join(data, 'redis/password.conf'), { recursive: true })],
  ])('given %s, never refuse the start: a line names the file, and the cache is in memory', async (_, damage) => {
    damage();

    const nodes = await described({ REDIS_SERVER_BIN: SERVER });
    expect(nodes).toEqual([]);
    expect(printed).toEqual([{ text: expect.stringMatching(NO_NODES), isTrouble: true }]);
    REDIS_KIND.announce?.(nodes, layout(), (message) => printed.push(message));
    for (const { text } of printed) expect(text).toMatch(NO_NODES);
  });

  it('given a port that another program has, takes the next one, and a line says so', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(ports[1], '127.0.0.1', resolve));
    try {
      const nodes = await announced({ REDIS_SERVER_BIN: SERVER });

      const port = access()?.nodes[1]?.port;
      expect(ports).not.toContain(port);
      expect(nodes[1]?.name).toBe(`Redis 2 (${port})`);
      expect(printed).toEqual([
        {
          text: `Other programs have ports of REDIS_CLUSTER_PORTS: Redis 2 listens on ${port}, not ${ports[1]}.`,
          isTrouble: false,
        },
      ]);
    } finally {
      server.close();
    }
  });

  it.each([
    [
      'asks for a password',
      '-NOAUTH Authentication required.\r\n',
      'set REDIS_PASSWORD to the password of that cluster',
    ],
    [
      'does not answer',
      'HTTP/1.1 400 Bad Request\r\n\r\n',
      'REDIS_CLUSTER_NODES must name nodes of a Redis Cluster that runs',
    ],
  ])(
    'are none when a named one %s, and one line says what to do, also that reads go on',
    async (lack, answer, remedy) => {
      // One answer to each command, also where several come in one piece.
      const server = createServer((socket) =>
        socket
          .on('error', () => undefined)
          .on('data', (piece: Buffer) => socket.write(answer.repeat(piece.toString().match(/^\*/gm)?.length ?? 0))),
      );
      const port = ports[0]!;
      await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
      try {
        expect(await described({ REDIS_CLUSTER_NODES: `127.0.0.1:${port}` })).toEqual([]);
        await eventually(() => {
          expect(printed).toEqual([
            { text: `127.0.0.1:${port} ${lack}: ${remedy}. Reads go without Redis.`, isTrouble: true },
          ]);
        });
      } finally {
        server.close();
      }
    },
  );

  it('begin a new log at a start when the old one is long, and keep the old one', async () => {
    const log = join(data, 'logs/redis-3.log');
    mkdirSync(join(data, 'logs'));
    writeFileSync(log, Buffer.alloc(9 * 1024 * 1024));
    await announced({ REDIS_SERVER_BIN: SERVER });

    expect([existsSync(log), statSync(`${log}.1`).size]).toEqual([false, 9 * 1024 * 1024]);
  });

  it('whose files are removed, are to be killed, and begin anew with the same addresses and password', async () => {
    const nodes = await announced({ REDIS_SERVER_BIN: SERVER });
    nodes.forEach(({ prepare }) => prepare?.());
    const before = access();
    expect(nodes.map(({ keepFiles }) => keepFiles?.())).toEqual(Array(6).fill(true));
    rmSync(join(data, 'redis'), { recursive: true });

    expect(nodes.map(({ keepFiles }) => keepFiles?.())).toEqual(Array(6).fill(false));
    expect(nodes[1]?.complaintIn('')).toMatch(/\/redis\/node-2 was removed: it is made anew$/);
    nodes.forEach(({ prepare }) => prepare?.());
    expect(nodes.map(({ keepFiles }) => keepFiles?.())).toEqual(Array(6).fill(true));
    expect(access()).toEqual(before);
  });

  it('whose common files are removed or damaged while they run, go on, and the files come back', async () => {
    const [node] = await announced({ REDIS_SERVER_BIN: SERVER });
    node?.prepare?.();
    const before = access();
    rmSync(join(data, 'redis/password.conf'));
    writeFileSync(join(data, 'redis/cluster.json'), '{');

    expect(node?.keepFiles?.()).toBe(true);
    expect(access()).toEqual(before);
    rmSync(join(data, 'redis/cluster.json'));
    mkdirSync(join(data, 'redis/cluster.json'));
    expect(node?.keepFiles?.()).toBe(true);
  });

  it('that run without a note of them, are found by their command lines, keep their ports, and are ended', async () => {
    const port = ports[1] ?? 0;
    const files = ['--include', join(data, 'redis/password.conf'), '--dir', join(data, 'redis/node-2')];
    const script = `require('node:net').createServer().listen(${port}, '127.0.0.1', () => console.log())`;
    const args = [...files, '--bind', '127.0.0.1', '--port', String(port), '--last'];
    const stray = spawn(process.execPath, ['-e', script, '--', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    const gone = new Promise((resolve) => stray.once('exit', resolve));
    try {
      await new Promise((resolve) => stray.stdout.once('data', resolve));
      const presence = { state: 'answers', pid: stray.pid, url: `redis://127.0.0.1:${port}`, number: 2 };
      expect(await runningOf([REDIS_KIND], layout())).toEqual([{ title: 'Redis node', presence }]);
      expect((await announced({ REDIS_SERVER_BIN: SERVER })).map(({ name }) => name)).toContain(`Redis 2 (${port})`);
      expect(printed).toEqual([]);
    } finally {
      await endLeftBehind([REDIS_KIND], layout(), new Set());
      stray.kill('SIGKILL');
    }
    await gone;
    expect([stray.signalCode, await runningOf([REDIS_KIND], layout())]).toEqual(['SIGTERM', []]);
  });

  it('never end the rest, whatever a node says at its first start', () => {
    const exit = { pid: 1, code: 1, signal: null, complaint: 'port-taken: port 7000 is taken' };
    const { state } = decide(begin(REDIS_KIND.restart).state, { kind: 'exited', exit });

    expect(state).toMatchObject({ isGivenUp: false, phase: 'waiting' });
  });
});

describe('joining the Redis nodes', () => {
  it('goes on until nothing is missing, whatever fails, and says once what is', async () => {
    const results = [
      () => Promise.resolve('slots 0 to 5460 have no master'),
      () => Promise.reject(new Error('no driver')),
      () => Promise.resolve(undefined),
    ];
    const looks: (number | undefined)[] = [];
    const printed: Message[] = [];
    const onReady = joining(
      (withinMs) => {
        looks.push(withinMs);
        return results[looks.length - 1]?.() ?? Promise.resolve(undefined);
      },
      (message) => printed.push(message),
      () => Promise.resolve(),
    );

    onReady();
    await eventually(() => {
      expect(looks).toEqual([undefined, 0, 0]);
    });
    expect(printed).toEqual([
      {
        text: expect.stringMatching(/^The Redis Cluster is not whole: slots 0 to 5460 .*"npm run redis:status"/),
        isTrouble: true,
      },
    ]);
    onReady();
    await eventually(() => {
      expect(looks).toEqual([undefined, 0, 0, undefined]);
    });
  });

  it('begins anew when a node gets ready meanwhile, and says nothing of what was missing', async () => {
    const looks: ((missing: string | undefined) => void)[] = [];
    const printed: Message[] = [];
    const onReady = joining(
      () => new Promise((resolve) => looks.push(resolve)),
      (message) => printed.push(message),
    );

    onReady();
    onReady();
    expect(looks).toHaveLength(1);
    looks[0]?.('a node');
    await eventually(() => {
      expect(looks).toHaveLength(2);
    });
    looks[1]?.(undefined);
    expect(printed).toEqual([]);
  });
});
