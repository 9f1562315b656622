import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterCommand, type CommandEnd } from '../support/cluster-command.js';
import { GroupNodes } from '../support/group-nodes.js';
import { PlainNode, plainGroups } from '../support/plain-node.js';

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

describe('npm run cluster, given nodes that are no Bifolio', () => {
  let groups: Set<string>;
  let node: PlainNode;

  beforeEach(async () => {
    groups = new Set(['other']);
    node = await PlainNode.start(plainGroups(groups));
  });

  afterEach(async () => {
    await node.stop();
  });

  it('but have the plain API, creates, deletes, finds, lists and clears there too', async () => {
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

  it('and refuse, takes back what the others did', async () => {
    const refusing = await PlainNode.start((method) => ({ status: method === 'GET' ? 404 : 403 }));
    const groupId = group();
    const { code, out } = await run(['create', groupId, ...ONCE], onlyAt(...nodes.names, refusing.name));
    await refusing.stop();

    expect([code, out.includes('it answered 403')]).toEqual([1, true]);
    expect(await nodes.having(groupId)).toEqual([false, false]);
    expect(open()).toEqual([]);
  });

  it('and answer anything with a page of HTML, says so, and writes nothing', async () => {
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
