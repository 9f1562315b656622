import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ClusterClient, type ClusterPorts, systemPorts } from '../../src/protocols/cluster-client/index.js';
import { startReplica } from '../cluster.js';
import { expect } from '../expect.js';
import { type Bench, type Figure, interleave, median, type Round } from '../figure.js';
import type { ServerProcess } from '../processes.js';

const CREATES = 15;
const WARM_UPS = 3;
const AT_ONCE = 5;

/** Groups are created on so many nodes and on one of them, by turns; `wayMs`: how far the nodes are away. */
async function createOn(bench: Bench, count: number, wayMs: number): Promise<readonly Round[]> {
  const directory = join(bench.directory, `groups-${count}-${wayMs}`);
  rmSync(directory, { recursive: true, force: true });
  const nodes: ServerProcess[] = [];
  const clients: ClusterClient[] = [];
  try {
    while (nodes.length < count) {
      const more = Array.from({ length: Math.min(AT_ONCE, count - nodes.length) }, (_, index) =>
        startReplica(bench.program, join(directory, `node-${nodes.length + index}`)),
      );
      nodes.push(...(await Promise.all(more)));
    }
    const names = nodes.map(({ url }) => new URL(url).host);
    const near = systemPorts();
    const ports = wayMs > 0 ? { ...near, call: distant(near.call, wayMs) } : near;
    const open = async (some: readonly string[], name: string): Promise<ClusterClient> => {
      const client = await ClusterClient.open({ nodes: some, directory: join(directory, name) }, ports);
      clients.push(client);
      return client;
    };
    const all = await open(names, 'all');
    const one = await open(names.slice(0, 1), 'one');
    let made = 0;
    const timed = (client: ClusterClient) => async (): Promise<number> => {
      const times: number[] = [];
      for (let number = 0; number < CREATES; number += 1) {
        const startedAt = performance.now();
        const { outcome } = await client.create(`group ${String((made += 1))}`);
        times.push(performance.now() - startedAt);
        expect(outcome === 'done', `a create on ${client.nodes.length} nodes was ${outcome}`);
      }
      return median(times);
    };
    await interleave(WARM_UPS, timed(all), timed(one));
    const rounds = await interleave(bench.rounds, timed(all), timed(one));
    await expectAlike(all);
    return rounds;
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    await Promise.all(nodes.map((node) => node.kill()));
  }
}

/** What was created on all is on all, as the nodes themselves say. */
async function expectAlike(client: ClusterClient): Promise<void> {
  const { groups, nodes } = await client.list();
  const partial = groups.filter(({ nodes: on }) => on.length !== 1 && on.length !== nodes.length);
  expect(partial.length === 0, `${partial.length} groups are on some nodes only`);
}

/** Half of the way before a call arrives, half of it before its answer does. */
function distant(near: ClusterPorts['call'], wayMs: number): ClusterPorts['call'] {
  return async (...call) => {
    await delay(wayMs / 2);
    const answer = await near(...call);
    await delay(wayMs / 2);
    return answer;
  };
}

const base = { unit: 'ms', better: 'lower', must: 3, aim: 1.5 } as const;
const WAY_MS = 40;

const figure = (count: number, wayMs: number): Figure => ({
  ...base,
  name: wayMs > 0 ? `groups-${count}-distant` : `groups-${count}`,
  title: `Creating a group on ${count} nodes against on one${wayMs > 0 ? `, each ${wayMs} ms away and back` : ', all on this machine'}`,
  measure: (bench) => createOn(bench, count, wayMs),
});

export const GROUPS: readonly Figure[] = [3, 10, 50].flatMap((count) => [figure(count, 0), figure(count, WAY_MS)]);
