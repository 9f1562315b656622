import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterCommand, type CommandEnd, reportIn } from '../support/cluster-command.js';
import { GroupNodes } from '../support/group-nodes.js';
import { PlainNode, plainGroups } from '../support/plain-node.js';
import { freePort } from '../support/ports.js';

/** So short that a silent node is given up soon, and a slow one is not. */
const ONCE = ['--attempts', '1'];
const KILLED = { FAULTS: '1', CRASH_SITE: 'cluster.call.after#3' };

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
const asJson = (groupId: string): string => JSON.stringify({ groupId });
const onlyAt = (...names: readonly string[]): Readonly<Record<string, string>> => ({ NODES: names.join(',') });
const open = (): readonly string[] => readdirSync(join(directory, 'cluster')).filter((name) => name.endsWith('.json'));

/** A port of this machine on which nothing listens. */
async function nobody(): Promise<string> {
  return `127.0.0.1:${String(await freePort())}`;
}

/** Every group of every node is gone, whatever tests have left. */
async function emptied(): Promise<void> {
  expect(await run(['clear'])).toMatchObject({ code: 0 });
}

describe('npm run cluster', () => {
  it('given --help, prints the usage and exits with 0; given no arguments, prints the usage and exits with 2', async () => {
    const [asked, bare] = await Promise.all([run(['--help']), run([])]);

    expect(asked).toMatchObject({ code: 0, error: '' });
    expect(asked.out).toContain('npm run cluster -- create');
    expect([bare.code, bare.out]).toEqual([2, asked.out]);
  });

  it.each([
    [['make', '1'], 'Unknown command make'],
    [['create', '{groupId: 1}'], 'is not JSON'],
    [['create', '{"groupId": 1}'], 'groupId: must be a string'],
    [['create', '{"groupId": "\\ud800"}'], 'groupId: must be well-formed Unicode'],
    [['create', '..'], 'groupId: must not be "." or ".."'],
    [['list', '--attempts', 'many'], '--attempts must be a whole number from 1'],
  ])('given %j, reports the mistake in one line and exits with 2', async (args, message) => {
    const { code, out, error } = await run(args);

    expect([code, out]).toEqual([2, '']);
    expect(error).toContain(message);
    expect(error.trimEnd().split('\n')).toHaveLength(1);
  });

  it('given a new group, creates it on all nodes, finds it, deletes it from all nodes, and no longer finds it', async () => {
    const groupId = group();
    const created = await run(['create', asJson(groupId)]);
    expect(created).toMatchObject({ code: 0, error: '' });
    expect(created.out).toContain(`Create group "${groupId}": done on all nodes`);
    expect(await nodes.having(groupId)).toEqual([true, true]);
    expect((await run(['get', groupId])).out).toContain('is on every node');

    const deleted = await run(['delete', groupId]);

    expect(deleted).toMatchObject({ code: 0, error: '' });
    expect(await nodes.having(groupId)).toEqual([false, false]);
    const gone = await run(['get', groupId]);
    expect([gone.code, gone.out.includes('is on no node')]).toEqual([1, true]);
    expect(readdirSync(join(directory, 'cluster'))).toEqual([]);
  });

  it('given no terminal, prints plain lines without colours or movement', async () => {
    const { out, error } = await run(['create', group()]);

    // eslint-disable-next-line no-control-regex
    expect(out + error).not.toMatch(/[\x00-\x09\x0b-\x1f]/);
    for (const name of nodes.names) expect(out).toContain(name);
  });

  it.each([['create', 'x'], ['get', 'x'], ['list'], ['clear'], ['status'], ['repair']])(
    'given %s %s --json, prints one line of JSON and nothing else',
    async (...args) => {
      const { out, error, code } = await run([...args.filter((arg) => typeof arg === 'string'), '--json']);

      expect(out.endsWith('\n')).toBe(true);
      expect(out.trimEnd().split('\n')).toHaveLength(1);
      expect(JSON.parse(out)).toEqual(expect.any(Object));
      expect([error, code === 0 || code === 1]).toEqual(['', true]);
    },
  );

  it('given --nodes, calls those nodes, whatever NODES says', async () => {
    const groupId = group();
    const end = await run(
      ['create', groupId, '--json', '--nodes', `http://${nodes.names[1]!}/`],
      onlyAt(await nobody()),
    );

    expect(reportIn(end).nodes.map(({ node }) => node)).toEqual([nodes.names[1]]);
    expect(await nodes.having(groupId)).toEqual([false, true]);
  });

  it.each([
    ['--nodes', 'host'],
    ['--nodes', ''],
  ])('given %s %j, which is not a node, reports it and exits with 2', async (...args) => {
    const { code, out, error } = await run(['list', ...args]);

    expect([code, out]).toEqual([2, '']);
    expect(error).toMatch(/^--nodes must be host:port,/);
  });

  it('given settings without any node, names the settings and exits with 1', async () => {
    const { code, error } = await run(['list'], { NODES: '', REPLICA_PORTS: '' });

    expect(code).toBe(1);
    expect(error).toMatch(/^misconfigured: no node is named: set NODES or REPLICA_PORTS, or give --nodes/);
  });

  it('given a node that is down, names it, writes nothing, and exits with 1', async () => {
    const groupId = group();
    const gone = await nobody();
    const { code, out } = await run(['create', groupId, ...ONCE], onlyAt(...nodes.names, gone));

    expect(code).toBe(1);
    expect(out).toContain('refused: no node was changed');
    expect(out).toContain(`${gone}: connection refused: nothing is listening there`);
    expect(await nodes.having(groupId)).toEqual([false, false]);
    expect(readdirSync(join(directory, 'cluster'))).toEqual([]);
  });

  it('given a group that only one node has, refuses to create it and leaves all nodes unchanged', async () => {
    const groupId = group();
    expect(await run(['create', groupId], onlyAt(nodes.names[1]!))).toMatchObject({ code: 0 });
    const end = await run(['create', groupId, '--json']);

    expect(end.code).toBe(1);
    expect(reportIn(end)).toMatchObject({ outcome: 'refused', reason: `${nodes.names[1]!}: it has the group` });
    expect(await nodes.having(groupId)).toEqual([false, true]);
    const found = await run(['get', groupId]);
    expect([found.code, found.out.includes('is on some nodes only')]).toEqual([1, true]);
    expect((await run(['delete', groupId])).code).toBe(0);
    expect(await nodes.having(groupId)).toEqual([false, false]);
  });

  it('given a node that was changed alone more often than the others, still creates and deletes on all nodes', async () => {
    const groupId = group();
    const alone = onlyAt(nodes.names[1]!);
    for (const kind of ['create', 'delete', 'create', 'delete'])
      expect((await run([kind, groupId], alone)).code).toBe(0);

    expect(await run(['create', groupId])).toMatchObject({ code: 0 });
    expect(await nodes.having(groupId)).toEqual([true, true]);
    expect(await run(['clear'], alone)).toMatchObject({ code: 0 });
    expect(await run(['delete', groupId])).toMatchObject({ code: 0 });
    expect(await nodes.having(groupId)).toEqual([false, false]);
  });

  it('given a group that no node has, refuses to delete it', async () => {
    const { code, out } = await run(['delete', group()]);

    expect([code, out.includes('Why: no node has the group')]).toEqual([1, true]);
  });

  it('given groups, lists those that all nodes have, reports differences, and clears all groups', async () => {
    await emptied();
    expect(await run(['list'])).toMatchObject({ code: 0, out: 'No groups.\n' });
    await run(['create', 'everywhere']);
    expect(await run(['list'])).toMatchObject({ code: 0, out: '1 group:\n  "everywhere"\n' });
    await run(['create', 'here'], onlyAt(nodes.names[0]!));

    const differing = await run(['list']);
    expect(differing.code).toBe(1);
    expect(differing.out).toContain(`"here"  only on ${nodes.names[0]!}\nThe nodes may have different groups`);
    expect((await run(['clear'])).out).toContain('Delete all groups: done on all nodes');
    expect(await run(['list'])).toMatchObject({ code: 0, out: 'No groups.\n' });
  });

  it.each([
    ['list', 'No node answers, so the groups are unknown.'],
    ['get x', 'Group "x" may be on any node: not every node answers.'],
    ['status', 'unreachable'],
    ['clear', 'Delete all groups: refused: no node was changed'],
    ['delete x', 'Delete group "x": refused: no node was changed'],
    ['create x', 'Create group "x": refused: no node was changed'],
    ['repair', 'did not report the highest version that it has seen: connection refused: nothing is listening there'],
  ])('given %s while no node runs, claims nothing, names each node, and exits with 1', async (line, said) => {
    const gone = [await nobody(), await nobody()];
    const { code, out } = await run([...line.split(' '), ...ONCE], onlyAt(...gone));

    expect(code).toBe(1);
    expect(out).toContain(said);
    for (const node of gone) expect(out).toContain(node);
    expect(out).not.toMatch(/^No groups|is on no node|no node has/m);
  });

  it('given one node that is down, lists the groups of the other and claims nothing about the first', async () => {
    await emptied();
    const gone = await nobody();
    const at = onlyAt(nodes.names[0]!, gone);
    expect((await run(['list', ...ONCE], at)).out).toContain('No groups on the nodes that answer.');
    await run(['create', 'here'], onlyAt(nodes.names[0]!));
    const { code, out } = await run(['list', ...ONCE], at);

    expect([code, out.includes(`1 group on the nodes that answer:\n  "here"  on ${nodes.names[0]!}\n`)]).toEqual([
      1,
      true,
    ]);
  });

  it('given status, shows the state of each node, and exits with 1 when one is down', async () => {
    const gone = await nobody();
    const [good, bad] = await Promise.all([run(['status']), run(['status', ...ONCE], onlyAt(...nodes.names, gone))]);

    expect(good.code).toBe(0);
    for (const name of nodes.names) expect(good.out).toMatch(new RegExp(`${name}.* up .*yes`));
    expect(bad.code).toBe(1);
    expect(bad.out).toMatch(new RegExp(`${gone}.*unreachable.*connection refused: nothing is listening there`));
  });

  it('given no open operation, repairs nothing', async () => {
    expect(await run(['repair'])).toMatchObject({ code: 0, out: 'No operation was open.\n', error: '' });
  });

  it('given a command that was killed, repair names the operation that it left open and finishes it', async () => {
    const groupId = group();
    expect((await run(['create', groupId], KILLED)).signal).toBe('SIGKILL');
    expect(await nodes.having(groupId)).toEqual([true, false]);
    const named = await run(['status']);
    expect([named.code, named.out.includes(`Open: Create group "${groupId}", since `)]).toEqual([1, true]);

    const { code, out } = await run(['repair']);

    expect(code).toBe(0);
    expect(out).toContain(`Create group "${groupId}": rolled back: no node has changed`);
    expect(out).not.toContain('Why: \n');
    expect(out).toContain('No operation is open now.');
    expect(await nodes.having(groupId)).toEqual([false, false]);
    expect(readdirSync(join(directory, 'cluster'))).toEqual([]);
  });

  it('given a command that was killed, the next command first finishes that operation and reports it', async () => {
    const [first, next] = [group(), group()];
    expect((await run(['create', first], KILLED)).signal).toBe('SIGKILL');

    const { code, out } = await run(['create', next]);

    expect(code).toBe(0);
    expect(out).toMatch(/^An earlier operation was still open:\nCreate group/);
    expect([await nodes.having(first), await nodes.having(next)]).toEqual([
      [false, false],
      [true, true],
    ]);
  });

  it('given an operation that cannot be finished now, leaves it open, names the node, and refuses other commands on that group only', async () => {
    const groupId = group();
    const answering = plainGroups(new Set());
    let isDown = false;
    const knowing = await PlainNode.start((...call) =>
      isDown && call[0] !== 'GET' ? { status: 503 } : answering(...call),
    );
    const at = onlyAt(nodes.names[0]!, knowing.name);
    isDown = true;
    const left = await run(['create', groupId, ...ONCE], at);
    expect([left.code, left.out.includes(`OPEN at ${knowing.name}`)]).toEqual([1, true]);
    expect(open()).toHaveLength(1);

    const refused = await run(['delete', groupId, ...ONCE], at);
    expect([refused.code, refused.out.includes('is still open')]).toEqual([1, true]);
    const still = await run(['repair', ...ONCE], at);
    expect([still.code, still.out.includes('Still open: 1.')]).toEqual([1, true]);
    isDown = false;
    expect(await run(['repair'], at)).toMatchObject({ code: 0 });
    expect(await run(['get', groupId], at)).toMatchObject({ code: 0 });
    expect(open()).toEqual([]);
    await knowing.stop();
  });

  it('given an unusable data directory, reports it in one line and exits with 1', async () => {
    const file = join(directory, 'a file');
    writeFileSync(file, '');
    const { code, out, error } = await run(['create', group()], { DATA_DIR: file });

    expect([code, out]).toEqual([1, '']);
    expect(error).toMatch(/^misconfigured: Cannot save operations in .*: ENOTDIR\n$/);
  });

  it('given a damaged intent, names the file in one line and exits with 1', async () => {
    await run(['list']);
    writeFileSync(join(directory, 'cluster', 'lost.op.json'), 'damaged');
    const { code, error } = await run(['create', group()]);

    expect(code).toBe(1);
    expect(error).toMatch(
      /^data-corrupt: .*lost\.op\.json does not hold an open operation of a cluster client: move it away \[.*DATA_DIR from the environment\]\n$/,
    );
  });
});

describe('npm run cluster, given one node under two names', () => {
  it('counts the node once, under its own name', async () => {
    const groupId = group();
    const [first = '', second = ''] = nodes.names;
    const port = first.split(':')[1]!;
    const names = [`LOCALHOST:${port}`, second, `http://${first}/`, `127.1:${port}`, `localhost.:${port}`];
    const end = await run(['create', groupId, '--json', '--nodes', names.join(',')]);

    expect([end.code, reportIn(end).nodes.map(({ node }) => node)]).toEqual([0, [first, second]]);
    const spelt = onlyAt(`LOCALHOST:${port}`, second, first);
    expect((await run(['list'], spelt)).out).toContain(`"${groupId}"\n`);
  });
});

describe('npm run cluster, given nodes that require an API key', () => {
  const READING = 'r'.repeat(16);
  const WRITING = 'w'.repeat(16);
  const API_KEYS = `ann:read:${READING},bob:write:${WRITING}`;
  let guarded: GroupNodes;

  beforeAll(async () => {
    guarded = await GroupNodes.start(1, { API_KEYS });
  });

  afterAll(async () => {
    await guarded.stop();
  });

  it('given API_KEYS, sends the first key that may write, also from .env', async () => {
    const at = onlyAt(...guarded.names);
    expect(await run(['create', group()], { ...at, API_KEYS })).toMatchObject({ code: 0 });
    writeFileSync(join(directory, '.env'), `API_KEYS=${API_KEYS}\n`);
    expect(await run(['create', group()], at)).toMatchObject({ code: 0 });
  });

  it('given no key, reports the answers of the nodes', async () => {
    const { code, out } = await run(['create', group()], onlyAt(...guarded.names));

    expect([code, out.includes('it answered 401')]).toEqual([1, true]);
  });
});
