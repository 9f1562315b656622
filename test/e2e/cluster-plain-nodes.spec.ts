import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterCommand, type CommandEnd } from '../support/cluster-command.js';
import { GroupNodes } from '../support/group-nodes.js';
import { type Answering, flaskGroups, PlainNode, plainGroups } from '../support/plain-node.js';

const ONCE = ['--attempts', '1'];

let nodes: GroupNodes;
let directory: string;
let made = 0;

beforeAll(async () => {
  nodes = await GroupNodes.start(2);
});

afterAll(async () => {
  await nodes.stop();
});

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bifolio-command-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function run(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<CommandEnd> {
  return clusterCommand(args, { NODES: nodes.names.join(','), DATA_DIR: directory, ...environment }, directory);
}

const group = (): string => `group ${String((made += 1))}`;
const onlyAt = (...names: readonly string[]): Readonly<Record<string, string>> => ({ NODES: names.join(',') });
const open = (): readonly string[] => readdirSync(join(directory, 'cluster')).filter((name) => name.endsWith('.json'));

/** Every group of every node is gone, whatever tests have left. */
async function emptied(): Promise<void> {
  expect(await run(['clear'])).toMatchObject({ code: 0 });
}

describe('npm run cluster, given nodes of other programs', () => {
  let groups: Set<string>;
  let node: PlainNode;

  beforeEach(async () => {
    groups = new Set(['other']);
    node = await PlainNode.start(plainGroups(groups));
  });

  afterEach(async () => {
    await node.stop();
  });

  it('with the plain API, creates, deletes, finds, lists and clears there too', async () => {
    await emptied();
    const at = onlyAt(...nodes.names, node.name);
    const groupId = `${group()} / ü`;

    expect(await run(['create', groupId], at)).toMatchObject({ code: 0 });
    expect([groups.has(groupId), await nodes.having(groupId)]).toEqual([true, [true, true]]);
    expect(await run(['get', groupId], at)).toMatchObject({ code: 0 });
    expect((await run(['list'], at)).out).toContain(`"other"  only on ${node.name}`);
    expect((await run(['status'], at)).out).toMatch(new RegExp(`${node.name}.* up .*no`));
    expect(await run(['create', groupId], at)).toMatchObject({ code: 1 });
    expect(await run(['delete', groupId], at)).toMatchObject({ code: 0 });
    expect([groups.has(groupId), await nodes.having(groupId)]).toEqual([false, [false, false]]);
    expect(await run(['clear'], at)).toMatchObject({ code: 0 });
    expect([...groups]).toEqual([]);
  });

  it('and a refusal, rolls back the changes on the others', async () => {
    const refusing = await PlainNode.start((method) => ({ status: method === 'GET' ? 404 : 403 }));
    const groupId = group();
    const { code, out } = await run(['create', groupId, ...ONCE], onlyAt(...nodes.names, refusing.name));
    await refusing.stop();

    expect([code, out.includes('it answered 403')]).toEqual([1, true]);
    expect(await nodes.having(groupId)).toEqual([false, false]);
    expect(open()).toEqual([]);
  });

  it('that answer everything with an HTML page, reports it and writes nothing', async () => {
    const html = await PlainNode.start(() => ({ status: 200, body: '<html>Welcome</html>' }));
    const groupId = group();
    const at = onlyAt(...nodes.names, html.name);
    const [created, deleted, found, listed] = [
      await run(['create', groupId, ...ONCE], at),
      await run(['delete', groupId, ...ONCE], at),
      await run(['get', groupId, ...ONCE], at),
      await run(['list', ...ONCE], at),
    ];
    await html.stop();

    expect([created, deleted, found, listed].map(({ code }) => code)).toEqual([1, 1, 1, 1]);
    for (const { out } of [created, deleted, found, listed]) expect(out).toContain('it answered 200');
    expect(html.asked.filter((asked) => !asked.startsWith('GET'))).toEqual([]);
    expect(await nodes.having(groupId)).toEqual([false, false]);
  });
});

describe('npm run cluster, given a node with the habits of Flask', () => {
  it('creates, finds, refuses, lists, deletes and clears there as well', async () => {
    await emptied();
    const groups = new Set<string>();
    const flask = await PlainNode.start(flaskGroups(groups));
    const at = onlyAt(...nodes.names, flask.name);
    try {
      for (const groupId of ['1', 'ü ?#%', 'a/b']) {
        expect(await run(['create', groupId], at)).toMatchObject({ code: 0 });
        expect([groups.has(groupId), await nodes.having(groupId)]).toEqual([true, [true, true]]);
        expect(await run(['get', groupId], at)).toMatchObject({ code: 0 });
        expect(await run(['create', groupId], at)).toMatchObject({ code: 1 });
      }
      expect(await run(['list'], at)).toMatchObject({ code: 0 });
      expect(await run(['delete', '1'], at)).toMatchObject({ code: 0 });
      expect([groups.has('1'), await nodes.having('1')]).toEqual([false, [false, false]]);
      expect(await run(['clear'], at)).toMatchObject({ code: 0 });
      expect([...groups]).toEqual([]);
    } finally {
      await flask.stop();
    }
  });

  it('that redirects to another server, does not follow, names the node, and writes nothing', async () => {
    const elsewhere = await PlainNode.start(flaskGroups(new Set()));
    const { name } = elsewhere;
    const sending = await PlainNode.start((_, path) => ({ status: 308, location: `http://${name}${path}/` }));
    const groupId = group();
    const { code, out } = await run(['create', groupId, ...ONCE], onlyAt(...nodes.names, sending.name));
    await Promise.all([elsewhere.stop(), sending.stop()]);

    expect([code, out.includes(`sends to http://${name}/`)]).toEqual([1, true]);
    expect(elsewhere.asked).toEqual([]);
    expect(await nodes.having(groupId)).toEqual([false, false]);
  });
});

describe('npm run cluster, given a node that fails at every change', () => {
  const failing =
    (answering: Answering, status: number): Answering =>
    (method, ...call) =>
      method === 'GET' ? answering(method, ...call) : { status, body: '<h1>Failed</h1>' };
  /** Two plain nodes in the order in which they are asked. */
  async function pair(status: number, failed: number): Promise<{ sets: Set<string>[]; plain: PlainNode[] }> {
    const started = [new Set<string>(), new Set<string>()].map((groups) => ({ groups, answer: plainGroups(groups) }));
    const plain = await Promise.all(started.map((one) => PlainNode.start((...call) => one.answer(...call))));
    const order = started
      .map((one, index) => ({ ...one, one, port: Number(plain[index]!.name.split(':')[1]) }))
      .toSorted((left, right) => left.port - right.port);
    order[failed]!.one.answer = failing(order[failed]!.answer, status);
    return { sets: order.map(({ groups }) => groups), plain };
  }

  it.each([
    [500, 0],
    [500, 1],
    [501, 0],
    [501, 1],
  ])('with %i, as number %i of two, leaves no group and no open operation behind', async (status, failed) => {
    const { sets, plain } = await pair(status, failed);
    const at = onlyAt(...plain.map(({ name }) => name));
    const created = await run(['create', 'g', '--json'], at);
    expect(created.code).toBe(1);
    expect(sets.map((groups) => groups.has('g'))).toEqual([false, false]);
    for (const groups of sets) groups.add('g');
    const [deleted, cleared] = [await run(['delete', 'g'], at), await run(['clear'], at)];
    await Promise.all(plain.map((node) => node.stop()));

    expect([deleted.code, cleared.code]).toEqual([1, 1]);
    for (const { out } of [deleted, cleared]) expect(out).toContain(`it answered ${String(status)}`);
    expect(sets.map((groups) => groups.has('g'))).toEqual([true, true]);
    expect(open()).toEqual([]);
  });

  it('with 500 after it has made the change, counts the change as done', async () => {
    const groups = new Set<string>();
    const answering = plainGroups(groups);
    const late = await PlainNode.start((...call) =>
      call[0] === 'GET' ? answering(...call) : { ...answering(...call), status: 500 },
    );
    const groupId = group();
    const at = onlyAt(...nodes.names, late.name);
    expect(await run(['create', groupId], at)).toMatchObject({ code: 0 });
    expect([groups.has(groupId), await nodes.having(groupId)]).toEqual([true, [true, true]]);
    expect(await run(['delete', groupId], at)).toMatchObject({ code: 0 });
    await late.stop();

    expect([groups.has(groupId), await nodes.having(groupId)]).toEqual([false, [false, false]]);
  });

  it.each([502, 503, 504, 408])(
    'with %i, which may come from a proxy before it, leaves the operation open and names the node',
    async (status) => {
      const proxied = await PlainNode.start(failing(plainGroups(new Set()), status));
      const { name } = proxied;
      const { code, out } = await run(['create', group(), ...ONCE], onlyAt(name));
      await proxied.stop();
      expect([code, out.includes(`OPEN at ${name}`)]).toEqual([1, true]);
      expect(open()).toHaveLength(1);
    },
  );
});
