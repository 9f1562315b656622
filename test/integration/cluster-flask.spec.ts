import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { ClusterClient, type ClusterPorts, systemPorts } from '../../src/protocols/cluster-client/index.js';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { clusterCommand, type CommandEnd } from '../support/cluster-command.js';
import { describeOnFlask, FlaskNode } from './flask-node.js';
import { GroupNodes } from '../support/group-nodes.js';

/** However slow this machine is, the node is back within it. */
const LONG = { patienceMs: 60_000, deadlineMs: 60_000 };

describeOnFlask('npm run cluster, given two Flask nodes and one of ours', () => {
  let directory: string;
  let ours: GroupNodes;
  let flasks: readonly FlaskNode[];
  let names: readonly string[];

  beforeAll(async () => {
    directory = temporaryDirectory();
    ours = await GroupNodes.start(1);
    flasks = [await FlaskNode.start(directory), await FlaskNode.start(directory)];
    names = [...ours.names, ...flasks.map(({ name }) => name)];
  });

  afterAll(async () => {
    await Promise.all(flasks.map((node) => node.kill()));
    await ours.stop();
    removeDirectory(directory);
  });

  const run = (...args: readonly string[]): Promise<CommandEnd> =>
    clusterCommand(args, { NODES: names.join(','), DATA_DIR: directory }, directory);
  const everywhere = async (groupId: string): Promise<readonly boolean[]> => [
    ...(await ours.having(groupId)),
    ...(await Promise.all(flasks.map(async (node) => (await node.groups()).includes(groupId)))),
  ];

  beforeEach(async () => {
    expect(await run('clear')).toMatchObject({ code: 0 });
    expect(await run('list')).toMatchObject({ code: 0, out: 'No groups.\n' });
  });

  it('given a new group, creates it on all, finds it, refuses a second create, deletes it from all, and finds it nowhere', async () => {
    const asJson = '{"groupId": "1"}';
    expect(await run('create', asJson)).toMatchObject({ code: 0 });
    expect(await everywhere('1')).toEqual([true, true, true]);
    expect(await run('get', '1')).toMatchObject({ code: 0 });
    expect(await run('list')).toMatchObject({ code: 0, out: '1 group:\n  "1"\n' });
    const again = await run('create', asJson);
    expect([again.code, again.out.includes('refused: no node was changed')]).toEqual([1, true]);
    expect(await run('delete', asJson)).toMatchObject({ code: 0 });
    expect(await everywhere('1')).toEqual([false, false, false]);
    expect(await run('delete', asJson)).toMatchObject({ code: 1 });
  });

  it.each(['two words', 'ü ?#%', '%2F', 'a/b', '//', 'a/', '\\', '+;&', '📚', 'line\nbreak', 'x'.repeat(255)])(
    'given %j, which servers read differently in a path, creates and deletes it',
    async (groupId) => {
      const client = await opened(systemPorts().call);
      expect(await client.create(groupId)).toMatchObject({ outcome: 'done' });
      expect(await everywhere(groupId)).toEqual([true, true, true]);
      expect(await client.get(groupId)).toMatchObject({ where: 'all' });
      expect(await client.create(groupId)).toMatchObject({ outcome: 'refused' });
      expect(await client.delete(groupId)).toMatchObject({ outcome: 'done' });
      expect(await everywhere(groupId)).toEqual([false, false, false]);
      await client.close();
    },
  );

  it('given a group that only one node has, refuses to create it, and deletes it', async () => {
    const [first] = flasks;
    const alone = { NODES: first!.name, DATA_DIR: directory };
    expect(await clusterCommand(['create', 'alone'], alone, directory)).toMatchObject({ code: 0 });

    const created = await run('create', 'alone');
    expect([created.code, created.out.includes(`${first!.name}: it has the group`)]).toEqual([1, true]);
    expect(await everywhere('alone')).toEqual([false, true, false]);
    expect(await run('delete', 'alone')).toMatchObject({ code: 0 });
    expect(await everywhere('alone')).toEqual([false, false, false]);
  });

  it('given several groups, clears all nodes', async () => {
    for (const groupId of ['1', '2', 'a/b']) expect(await run('create', groupId)).toMatchObject({ code: 0 });

    expect(await run('clear')).toMatchObject({ code: 0 });
    for (const groupId of ['1', '2', 'a/b']) expect(await everywhere(groupId)).toEqual([false, false, false]);
  });

  it.each(['GET', 'POST', 'DELETE'])(
    'given a Flask node that dies before a %s and comes back, completes the command',
    async (method) => {
      const groupId = `restarted at ${method}`;
      const [victim] = flasks;
      const { call: ask } = systemPorts();
      let restarted: Promise<void> | undefined;
      const client = await opened(async (...call) => {
        const [origin, asked] = call;
        if (restarted !== undefined || asked.method !== method || origin !== `http://${victim!.name}`)
          return ask(...call);
        await victim!.kill();
        return ask(...call).finally(() => (restarted ??= victim!.start()));
      });
      if (method === 'DELETE') expect(await run('create', groupId)).toMatchObject({ code: 0 });

      const report = await (method === 'DELETE' ? client.delete(groupId) : client.create(groupId));

      expect(restarted).toBeDefined();
      await restarted;
      expect(report).toMatchObject({ outcome: 'done' });
      await client.close();
      expect(new Set(await everywhere(groupId))).toEqual(new Set([method !== 'DELETE']));
    },
  );

  function opened(call: ClusterPorts['call']): Promise<ClusterClient> {
    return ClusterClient.open({ nodes: names, directory, ...LONG }, { ...systemPorts(), call });
  }
});
