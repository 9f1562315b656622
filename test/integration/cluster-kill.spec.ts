import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { CLUSTER_CRASH_SITES, type ClusterClient, type Outcome } from '../../src/protocols/cluster-client/index.js';
import { clusterCommand, type CommandEnd } from '../support/cluster-command.js';
import { eventually } from '../support/eventually.js';
import { rounds } from '../support/long-form.js';
import { GroupNodes } from '../support/group-nodes.js';
import { SeededRandom } from '../support/seeded-random.js';

const NODES = 3;
const CLIENTS = 10;
const ROUNDS = rounds(30, 200);
const MIXED_ROUNDS = rounds(25, 100);
const NODE_DEATHS = rounds(4, 10);
/** After one call and before the next is nearly the same: in the short form each of them is met at every other call. */
const EACH_CALL = rounds(2, 1);
/** More often no command reaches a site. */
const MAX_OCCURRENCES = 40;
/** Generous: how slow a machine is shall never decide a test. */
const TIMEOUT_MS = 20 * 60_000;
const KILLED = 'SIGKILL';

let nodes: GroupNodes;

beforeAll(async () => {
  nodes = await GroupNodes.start(NODES);
});

afterAll(async () => {
  await nodes.stop();
});

function command(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<CommandEnd> {
  return clusterCommand(args, {
    ...{ NODES: nodes.names.join(','), DATA_DIR: nodes.clientDirectory('commands') },
    ...environment,
  });
}

async function expectAlike(groupId: string): Promise<boolean> {
  const having = await nodes.having(groupId);
  expect(new Set(having).size).toBe(1);
  return having[0] === true;
}

describe('a client that is killed', () => {
  let peaceful: ClusterClient;
  /** Of the commands. */
  let directory: string;

  beforeAll(async () => {
    directory = join(nodes.clientDirectory('commands'), 'cluster');
    peaceful = await nodes.client({ directory });
  });

  /** What a command does, without the start of a process. */
  const next = async <T>(work: (client: ClusterClient) => Promise<T>): Promise<T> => {
    const client = await nodes.client({ directory });
    return work(client).finally(() => client.close());
  };

  afterAll(async () => {
    await peaceful.close();
  });

  it.each(['create', 'delete'] as const)(
    'at any step of a %s, leaves a state that the next command or a repair brings to all nodes or none',
    async (kind) => {
      const deaths = new Map<string, number>();
      let isRepair = false;
      for (const site of CLUSTER_CRASH_SITES) {
        const first = site === 'cluster.call.after' ? EACH_CALL : 1;
        const step = site.startsWith('cluster.call.') ? EACH_CALL : 1;
        for (let occurrence = first; occurrence <= MAX_OCCURRENCES; occurrence += step) {
          const groupId = `${kind} ${site} ${String(occurrence)}`;
          if (kind === 'delete') expect((await peaceful.create(groupId)).outcome).toBe('done');
          const crash = { FAULTS: '1', CRASH_SITE: `${site}#${String(occurrence)}` };
          const { signal, code } = await command([kind, groupId], crash);
          if (signal !== KILLED) {
            expect(code).toBe(0);
            break;
          }
          deaths.set(site, occurrence);
          // By turns a repair or whatever command comes next.
          isRepair = !isRepair;
          if (isRepair) expect(await next((client) => client.repair())).toMatchObject({ open: 0 });
          else expect(await next((client) => client.create(`next ${groupId}`))).toMatchObject({ outcome: 'done' });
          await expectAlike(groupId);
          expect((await peaceful.status()).open).toEqual([]);
        }
      }
      expect([...deaths.keys()].sort()).toEqual([...CLUSTER_CRASH_SITES].sort());
      // Three looks, three writes, three looks whether it is so.
      expect(deaths.get('cluster.call.before')).toBe(3 * NODES);
    },
    TIMEOUT_MS,
  );

  it(
    'during a repair, leaves a state that the next repair completes',
    async () => {
      for (let occurrence = 1; occurrence <= MAX_OCCURRENCES; occurrence += EACH_CALL) {
        const groupId = `repair ${String(occurrence)}`;
        const first = await command(['create', groupId], { FAULTS: '1', CRASH_SITE: 'cluster.call.after#5' });
        expect(first.signal).toBe(KILLED);
        const second = await command(['repair'], {
          FAULTS: '1',
          CRASH_SITE: `cluster.call.after#${String(occurrence)}`,
        });
        expect(await next((client) => client.repair())).toMatchObject({ open: 0 });
        expect(await expectAlike(groupId)).toBe(false);
        if (second.signal !== KILLED) {
          expect(occurrence).toBeGreaterThan(2 * NODES);
          return;
        }
      }
      throw new Error('a repair never came to its end');
    },
    TIMEOUT_MS,
  );
});

describe('nodes that are killed', () => {
  it(
    'given creates and deletes meanwhile, end with each group on all or none after their return, as reported',
    async () => {
      const random = new SeededRandom(7);
      const client = await nodes.client({ attempts: 1, directory: nodes.clientDirectory('deaths') });
      const told = new Map<string, Outcome>();
      let isOver = false;
      const changes = (async () => {
        for (let number = 0; !isOver; number += 1) {
          const groupId = `deaths ${String(number)}`;
          const { outcome } = await client.create(groupId);
          told.set(groupId, outcome);
        }
      })();
      const countOf = (isDone: boolean): number =>
        [...told.values()].filter((outcome) => (outcome === 'done') === isDone).length;
      const untilOneMore = async (isDone: boolean): Promise<void> => {
        const before = countOf(isDone);
        await eventually(() => expect(countOf(isDone)).toBeGreaterThan(before), { withinMs: TIMEOUT_MS });
      };
      for (let death = 0; death < NODE_DEATHS; death += 1) {
        const node = nodes.processes[random.below(NODES)]!;
        await node.kill();
        await untilOneMore(false);
        await node.start();
        await untilOneMore(true);
      }
      isOver = true;
      await changes;
      expect((await client.repair()).open).toBe(0);
      await client.close();
      for (const [groupId, outcome] of told) {
        const isThere = await expectAlike(groupId);
        if (outcome !== 'open') expect([groupId, isThere]).toEqual([groupId, outcome === 'done']);
      }
    },
    TIMEOUT_MS,
  );
});

describe('ten clients at once on one group', () => {
  let clients: readonly ClusterClient[];

  beforeAll(async () => {
    clients = await Promise.all(
      Array.from({ length: CLIENTS }, (_, index) =>
        nodes.client({ directory: nodes.clientDirectory(`one of ten ${String(index)}`) }),
      ),
    );
  });

  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()));
  });

  it(
    `given ${String(ROUNDS)} rounds, leave it on all nodes or none, and one of the clients with the same wish succeeded`,
    async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const kind = round % 2 === 0 ? 'create' : 'delete';
        const reports = await Promise.all(clients.map((client) => client[kind]('shared')));
        const outcomes = reports.map(({ outcome }) => outcome);
        expect(outcomes).toContain('done');
        if (kind === 'create') expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(1);
        expect(outcomes).not.toContain('open');
        expect(await expectAlike('shared')).toBe(kind === 'create');
      }
    },
    TIMEOUT_MS,
  );

  it(
    'given creates and deletes, leave it on all nodes or none, in a state that some order of the successful commands explains',
    async () => {
      const random = new SeededRandom(11);
      let mixed = 0;
      for (let round = 0; round < MIXED_ROUNDS; round += 1) {
        const groupId = `mixed ${String(round % 3)}`;
        const wasThere = await expectAlike(groupId);
        const reports = await Promise.all(
          clients.map(async (client) => {
            const kind = random.chance(0.5) ? 'create' : 'delete';
            return { kind, outcome: (await client[kind](groupId)).outcome };
          }),
        );
        const isThere = await expectAlike(groupId);
        const done = reports.filter(({ outcome }) => outcome === 'done').map(({ kind }) => kind);
        if (new Set(done).size === 2) mixed += 1;
        expect(reports.map(({ outcome }) => outcome)).not.toContain('open');
        // Who changes nothing has changed nothing.
        if (done.length === 0) expect(isThere).toBe(wasThere);
        if (done.length > 0 && new Set(done).size === 1) expect(isThere).toBe(done[0] === 'create');
      }
      expect(mixed).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );
});
