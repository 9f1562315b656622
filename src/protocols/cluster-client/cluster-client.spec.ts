import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answerOf } from '../../../test/support/answer-of.js';
import { eventually } from '../../../test/support/eventually.js';
import type { Disk } from '../../kernel/index.js';
import { ClusterClient, type ClusterOptions, type ClusterPorts, systemPorts } from './cluster-client.js';

/** Nodes that carry out every request, and the requests that they received, as `POST a:1`. */
class WillingNodes {
  readonly asked: string[] = [];
  /** The groups of the nodes, as `a:1 g`. */
  readonly groups = new Set<string>();
  /** Delays calls until it resolves. */
  beforeAnswer: (asked: string) => Promise<void> = () => Promise.resolve();
  /** These calls fail without effect. */
  failsAt: (asked: string) => boolean = () => false;

  readonly call: ClusterPorts['call'] = async (origin, call) => {
    const { 'x-undo': undo, 'x-operation-id': operationId = '' } = call.headers ?? {};
    const method = undo === undefined ? call.method : 'UNDO';
    const body = (typeof call.body === 'string' ? JSON.parse(call.body) : {}) as { groupId?: string };
    const { host, pathname } = new URL(origin + call.path);
    const asked = `${method} ${host} ${body.groupId ?? ''}`.trim();
    this.asked.push(asked);
    await this.beforeAnswer(asked);
    if (this.failsAt(asked)) return answerOf(Response.json({}, { status: 500 }));
    const groupId = body.groupId ?? decodeURIComponent(pathname.split('/').at(-1) ?? '');
    if (method === 'POST') this.groups.add(`${host} ${groupId}`);
    if (method === 'UNDO') this.groups.delete(`${host} ${groupId}`);
    const isThere = this.groups.has(`${host} ${groupId}`);
    const headers = { 'x-operation-id': operationId, 'x-group-version': '7' };
    const status = { GET: isThere ? 200 : 404, POST: 201 }[method as string] ?? 200;
    return answerOf(Response.json({ groupId }, { status, headers }));
  };
}

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

describe('a cluster client', () => {
  let directory: string;
  let nodes: WillingNodes;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'bifolio-client-'));
    nodes = new WillingNodes();
  });

  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  const open = (
    spoilDisk = (disk: Disk): Disk => disk,
    options: Partial<ClusterOptions> = {},
  ): Promise<ClusterClient> => {
    const ports = systemPorts();
    return ClusterClient.open(
      { nodes: ['b:2', 'a:1'], directory, attempts: 1, ...options },
      { ...ports, call: nodes.call, disk: spoilDisk(ports.disk) },
    );
  };

  it('carries an operation out on all nodes, and leaves no file behind', async () => {
    const client = await open();

    expect(await client.create('g')).toMatchObject({ outcome: 'done', wanted: { kind: 'create', groupId: 'g' } });
    expect(nodes.asked).toEqual(['GET a:1', 'GET b:2', 'POST a:1 g', 'POST b:2 g', 'GET a:1', 'GET b:2']);
    await client.close();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('given its own operation that ends while the next one looks for open operations, does not touch it', async () => {
    const written = gate();
    const read = gate();
    let reads = 0;
    const client = await open((disk) =>
      overriding(disk, {
        read: async (path) => {
          const bytes = await disk.read(path);
          if (!path.endsWith('.json') || bytes === undefined) return bytes;
          reads += 1;
          await read.opened;
          return bytes;
        },
      }),
    );
    nodes.beforeAnswer = (asked) => (asked === 'POST b:2 slow' ? written.opened : Promise.resolve());
    const slow = client.create('slow');
    await eventually(() => {
      expect(nodes.asked).toContain('POST b:2 slow');
    });
    const next = client.create('next');
    await eventually(() => {
      expect(reads).toBeGreaterThan(0);
    });
    written.open();
    expect((await slow).outcome).toBe('done');
    read.open();

    expect(await next).toMatchObject({ outcome: 'done', repaired: [] });
    expect(nodes.asked.filter((asked) => asked.startsWith('UNDO'))).toEqual([]);
    await client.close();
  });

  it('given its own operation under way, does not touch it in a repair or a status', async () => {
    const written = gate();
    const client = await open();
    nodes.beforeAnswer = (asked) => (asked.startsWith('POST b:2') ? written.opened : Promise.resolve());
    const slow = client.create('slow');
    await eventually(() => {
      expect(nodes.asked).toContain('POST b:2 slow');
    });

    expect(await client.repair()).toMatchObject({ repaired: [], open: 0, withOthers: [] });
    expect((await client.status()).open).toEqual([]);
    written.open();
    expect((await slow).outcome).toBe('done');
    await client.close();
  });

  it('finishes the operation that it left open before it begins the next one', async () => {
    const client = await open();
    nodes.beforeAnswer = (asked) =>
      /^(POST|UNDO) b:2 first/.test(asked) ? Promise.reject(new Error('planned')) : Promise.resolve();
    expect((await client.create('first')).outcome).toBe('open');
    expect(await client.status()).toMatchObject({ open: [{ wanted: { kind: 'create', groupId: 'first' } }] });
    expect(await client.create('first')).toMatchObject({
      outcome: 'refused',
      reason: expect.stringContaining('still open'),
    });
    expect((await client.create('other')).outcome).toBe('done');
    nodes.beforeAnswer = () => Promise.resolve();

    const { outcome, repaired } = await client.create('first');

    expect([outcome, repaired.map((report) => report.outcome)]).toEqual(['done', ['rolled-back']]);
    await client.close();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('given a node that refuses an undo with 429 for an hour, asks it once and leaves the operation open until a repair', async () => {
    let isFull = true;
    const busy: ClusterPorts['call'] = async (origin, call, timeoutMs) => {
      const answer = await nodes.call(origin, call, timeoutMs);
      if (!isFull || call.headers?.['x-undo'] === undefined || origin !== 'http://b:2') return answer;
      const headers = { 'retry-after': '3600' };
      return answerOf(Response.json({ detail: 'too many' }, { status: 429, headers }));
    };
    nodes.beforeAnswer = (asked) =>
      asked.startsWith('POST b:2') ? Promise.reject(new Error('planned')) : Promise.resolve();
    const client = await ClusterClient.open({ nodes: ['b:2', 'a:1'], directory }, { ...systemPorts(), call: busy });

    expect(await client.create('g')).toMatchObject({ outcome: 'open' });
    expect(nodes.asked.filter((asked) => asked === 'UNDO b:2 g')).toHaveLength(1);
    isFull = false;
    expect(await client.repair()).toMatchObject({ repaired: [{ outcome: 'rolled-back' }], open: 0 });
    await client.close();
  });

  it('given a node that did not answer a create and then fails at every call, leaves the create open, because it may land later', async () => {
    const client = await open(undefined, { attempts: 2, backoffMs: 1 });
    nodes.beforeAnswer = (asked) =>
      asked === 'POST b:2 g' && nodes.asked.filter((one) => one === asked).length === 1
        ? Promise.reject(new Error('planned'))
        : Promise.resolve();
    nodes.failsAt = (asked) => /^(POST|UNDO) b:2/.test(asked);
    const { outcome, reason, nodes: reports } = await client.create('g');
    expect([outcome, reports.map(({ node, status }) => `${node} ${status}`)]).toEqual([
      'open',
      ['a:1 rolled-back', 'b:2 unknown'],
    ]);
    expect(reason).toBe('not every node has confirmed the undo');
    expect(await client.repair()).toMatchObject({ open: 1 });
    nodes.groups.add('b:2 g');
    nodes.failsAt = () => false;

    expect(await client.repair()).toMatchObject({ open: 0, repaired: [{ outcome: 'rolled-back' }] });
    expect([...nodes.groups]).toEqual([]);
    await client.close();
  });

  it('given the create of a dead client and a node that fails at every undo, leaves the create open', async () => {
    const client = await open();
    nodes.beforeAnswer = (asked) =>
      /^(POST|UNDO) b:2/.test(asked) ? Promise.reject(new Error('planned')) : Promise.resolve();
    expect((await client.create('g')).outcome).toBe('open');
    await client.close();
    nodes.beforeAnswer = () => Promise.resolve();
    nodes.failsAt = (asked) => asked.startsWith('UNDO b:2');
    const next = await open();

    expect(await next.repair()).toMatchObject({ open: 1, repaired: [{ outcome: 'open' }] });
    await next.close();
  });

  it('given a node that answers every call with 500, rolls back at once', async () => {
    const client = await open();
    nodes.failsAt = (asked) => /^(POST|UNDO) b:2/.test(asked);

    expect((await client.create('g')).outcome).toBe('rolled-back');
    expect([...nodes.groups]).toEqual([]);
    await client.close();
  });

  it.each(['', 'x'.repeat(256), '\ud800', 7 as unknown as string])(
    'given the invalid group id %j, refuses it, and neither calls a node nor stores anything',
    async (groupId) => {
      const client = await open();

      for (const call of [client.create(groupId), client.delete(groupId), client.get(groupId)]) {
        await expect(call).rejects.toMatchObject({ code: 'validation-failed' });
      }
      expect(nodes.asked).toEqual([]);
      await client.close();
      expect(readdirSync(directory)).toEqual([]);
    },
  );

  it.each(['.', '..'])(
    'given the group id %j, refuses to create it and names the field, but deletes it',
    async (groupId) => {
      const client = await open();

      await expect(client.create(groupId)).rejects.toMatchObject({
        code: 'validation-failed',
        fields: [{ field: 'groupId' }],
      });
      expect(nodes.asked).toEqual([]);
      expect((await client.delete(groupId)).outcome).toBe('refused');
      await client.close();
    },
  );

  it('given a node that comes back before the patience ends, succeeds; after that, it has given up', async () => {
    for (const [backAfterMs, outcome] of [
      [2_999, 'done'],
      [3_001, 'refused'],
    ] as const) {
      let nowMs = 0;
      const client = await ClusterClient.open(
        { nodes: ['a:1', 'b:2'], directory },
        {
          ...systemPorts(),
          elapsedMs: () => nowMs,
          pause: (ms) => {
            nowMs += ms;
            return Promise.resolve();
          },
          call: (origin, ...call) => {
            const isDown = origin === 'http://b:2' && nowMs < backAfterMs;
            return isDown ? Promise.reject(new Error('planned')) : nodes.call(origin, ...call);
          },
        },
      );

      expect((await client.create(`after ${String(backAfterMs)}`)).outcome).toBe(outcome);
      await client.close();
    }
  });

  it('given an intent that cannot be stored, calls no node', async () => {
    const client = await open((disk) =>
      overriding(disk, { rename: () => Promise.reject(Object.assign(new Error('planned'), { code: 'EIO' })) }),
    );

    await expect(client.create('g')).rejects.toMatchObject({ code: 'outcome-unknown' });
    expect(nodes.asked).toEqual([]);
    await client.close();
  });

  it.each<[Partial<ClusterOptions>, string]>([
    [{ nodes: [] }, 'nodes must be a list of host:port, at least one'],
    [{ nodes: ['host'] }, '"host" is not host:port'],
    [{ patienceMs: -1 }, 'patienceMs must be a whole number from 0 to 2147483647'],
    [{ attempts: 0 }, 'attempts must be a whole number from 1 to 2147483647'],
    [{ deadlineMs: 1.5 }, 'deadlineMs must be a whole number from 1 to 2147483647'],
    [{ deadlineMs: 3e9 }, 'deadlineMs must be a whole number from 1 to 2147483647'],
    [{ backoffMs: -5 }, 'backoffMs must be a whole number from 0 to 2147483647'],
    [{ concurrency: -1 }, 'concurrency must be a whole number from 1 to 2147483647'],
  ])('given the invalid options %j, refuses to open', async (options, message) => {
    await expect(open(undefined, options)).rejects.toMatchObject({ code: 'misconfigured', message });
    expect(readdirSync(directory)).toEqual([]);
  });
});

function overriding(disk: Disk, members: Partial<Disk>): Disk {
  return {
    ensureDirectory: (path) => disk.ensureDirectory(path),
    list: (path) => disk.list(path),
    listDirectories: (path) => disk.listDirectories(path),
    read: (path) => disk.read(path),
    open: (path) => disk.open(path),
    create: (path) => disk.create(path),
    openForReading: (path) => disk.openForReading(path),
    rename: (from, to) => disk.rename(from, to),
    remove: (path) => disk.remove(path),
    synchronizeDirectory: (path) => disk.synchronizeDirectory(path),
    ...members,
  };
}
