import { expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import { eventually } from '../../../test/support/eventually.js';
import { describeOnRedis, type RedisCluster } from '../../../test/support/redis-cluster.js';
import { formCluster } from './form-cluster.js';
import { withNode } from './node-connection.js';
import { nameOf } from './node-view.js';
import { nodeDirectory } from './server-files.js';

describeOnRedis('forming a Redis Cluster of six nodes', (cluster) => {
  const shapeOf = async (formed: RedisCluster): Promise<unknown> =>
    (await formed.views()).map(({ itself: { id, masterId, slots } }) => ({ id, masterId, slots }));

  it('gives each of the first three a third of the slots, and each of them one replica', async () => {
    const views = await cluster().views();
    const ids = views.map(({ itself }) => itself.id);

    expect(views.map(({ itself }) => itself.slots)).toEqual([
      [[0, 5460]],
      [[5461, 10922]],
      [[10923, 16383]],
      ...[[], [], []],
    ]);
    expect(views.slice(3).map(({ itself }) => itself.masterId)).toEqual(ids.slice(0, 3));
  });

  it('given a formed cluster, changes nothing', async () => {
    const before = await shapeOf(cluster());

    expect(await formCluster(cluster().nodes, cluster().password)).toBeUndefined();
    expect(await shapeOf(cluster())).toEqual(before);
  });

  it.each([
    ['another password', 'not the password', 'refuse the password'],
    ['no password', undefined, 'ask for a password'],
  ])('given %s, joins nothing, and names each node with that', async (_, password, lack) => {
    const names = cluster().nodes.map(nameOf).join(', ');

    expect(await formCluster(cluster().nodes, password, { withinMs: 0 })).toBe(`${names} ${lack}`);
  });

  it('given a killed master whose replica took over, keeps the new roles when the node is back', async () => {
    const [master] = cluster().nodes as [RedisCluster['nodes'][number]];
    const successor = await cluster().replicaOf(master);
    await cluster().kill(master);
    await cluster().waitForRoles([[successor, 'master']]);
    await cluster().restart(master);

    await cluster().waitUntilWhole();

    await cluster().waitForLinkUp(master);
    expect(await cluster().replicaOf(successor)).toBe(master);
  });

  it('given a master that CLUSTER RESET emptied, gives it its slots again', async () => {
    await cluster().waitUntilWhole();
    const before = await shapeOf(cluster());
    const master = await cluster().masterOfSlot(0);
    await withNode(master, cluster().password, async (node) => {
      await node.flushall();
      await node.cluster('RESET');
    });

    await cluster().waitUntilWhole();

    expect(await shapeOf(cluster())).toEqual(before);
  });

  it('given all nodes on other ports, joins them again with their slots', async () => {
    const slotsOfPairs = async (): Promise<unknown> => {
      const views = await cluster().views();
      // Who is master of a pair depends on which of the two was up first.
      return [0, 1, 2].map((index) => {
        const pair = [views[index], views[index + 3]];
        return { ids: pair.map((view) => view?.itself.id), slots: pair.flatMap((view) => view?.itself.slots) };
      });
    };
    const before = await slotsOfPairs();

    await cluster().moveAll();

    expect(await slotsOfPairs()).toEqual(before);
  });

  it('given a replica that lost its files, makes the new node a replica of the same master', async () => {
    await cluster().waitUntilWhole();
    const old = (await cluster().views()).find(({ itself }) => itself.masterId !== undefined);
    const replica = cluster().nodes.find(({ port }) => port === old?.endpoint.port);
    if (!old || !replica) throw new Error('no node is a replica');
    await cluster().kill(replica);
    rmSync(nodeDirectory(cluster().directory, replica.number), { recursive: true });
    await cluster().restart(replica);

    await cluster().waitUntilWhole();

    // A node lists another one under a provisional name as well until their handshake is over.
    await eventually(async () => {
      const views = await cluster().views();
      const { itself } = views[replica.number - 1] ?? old;
      expect(itself.id).not.toBe(old.itself.id);
      expect(itself.masterId).toBe(old.itself.masterId);
      for (const { known } of views) expect([known.size, known.has(old.itself.id)]).toEqual([6, false]);
    });
  });
});
