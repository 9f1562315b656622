import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readdirSync } from 'node:fs';
import type { RepairReport } from '../../src/protocols/cluster-client/index.js';
import { stateHashOf } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { EarlierCluster } from './earlier-cluster.js';

const TEST_TIMEOUT_MS = 240_000;
const IN_DOUBT = 'a transaction in doubt';

interface Book {
  readonly id: number;
  readonly title: string;
}

interface Customer {
  readonly id: number;
  readonly orders_count: number;
}

interface Transaction {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
}

describe('the data of an earlier build, all of whose processes were killed during a transaction', () => {
  let cluster: EarlierCluster;

  beforeEach(async () => {
    cluster = await EarlierCluster.unpack();
    await cluster.start();
  }, TEST_TIMEOUT_MS);

  afterEach(async () => {
    await cluster.end();
  });

  const noted = <T>(path: string): T => cluster.noted.reads[path] as T;
  const hashes = (): Promise<readonly unknown[]> => {
    const nodes = [cluster.app, ...cluster.replicas];
    return Promise.all(nodes.map(({ url }) => stateHashOf(url, cluster.secret)));
  };

  /** The transaction in doubt is committed in SQL, so it is in both stores. */
  const expectAllThere = async (): Promise<void> => {
    const { sent } = cluster.noted.inDoubt;
    expect(await cluster.read('/books')).toEqual([...noted<Book[]>('/books'), { id: expect.any(Number), ...sent }]);
    const customers = noted<Customer[]>('/customers').map((customer) => ({
      ...customer,
      orders_count: customer.orders_count + 1,
    }));
    expect(await cluster.read('/customers')).toEqual(customers);
    // Replicas hear of the end of a transaction with the next batch.
    await eventually(async () => {
      for (const { url } of cluster.replicas) {
        expect(await (await fetch(`${url}/customers`)).json()).toEqual(customers);
      }
    });
    const others = Object.keys(cluster.noted.reads).filter((path) => !/^\/(books|customers|transactions)$/.test(path));
    expect(others.length).toBeGreaterThan(20);
    for (const path of others) expect([path, await cluster.read(path)]).toEqual([path, noted(path)]);
  };

  const expectTransactionsThere = async (): Promise<void> => {
    const found = await cluster.read<Transaction[]>('/transactions');
    const before = noted<Transaction[]>('/transactions');
    expect(before.map(({ state }) => state)).toContain('aborted');
    expect(found.filter(({ id }) => before.some((known) => known.id === id))).toEqual(before);
    const [inDoubt, ...others] = found.filter(({ id }) => before.every((known) => known.id !== id));
    expect([inDoubt?.kind, inDoubt?.state, others]).toEqual(['books-2pc', 'committed', []]);
  };

  const expectEqualStates = (): Promise<void> =>
    eventually(async () => {
      const [first, ...others] = await hashes();
      for (const other of others) expect(other).toEqual(first);
    });

  it(
    'is complete, has nothing in doubt, and has equal states on all nodes, also after a clean stop and a start',
    async () => {
      await expectAllThere();
      await expectTransactionsThere();
      await expectEqualStates();

      await cluster.stop();
      await cluster.start();
      await expectAllThere();
      await expectTransactionsThere();
      await expectEqualStates();
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'replays the answer of each repeated key, and accepts new ones',
    async () => {
      for (const { status, location, body, ...write } of cluster.noted.answers) {
        expect([write.key, await cluster.repeat(write)]).toEqual([
          write.key,
          { status, location, body, isReplayed: true },
        ]);
      }
      const { sent } = cluster.noted.inDoubt;
      const transaction = { origin: 'app', method: 'POST', path: '/books-2pc', sent } as const;
      expect(await cluster.repeat({ ...transaction, key: IN_DOUBT })).toMatchObject({
        status: 201,
        isReplayed: true,
        body: { book: sent, customersUpdated: noted<Customer[]>('/customers').length },
      });
      await expectAllThere();

      expect(await cluster.repeat({ ...transaction, key: 'a new one' })).toMatchObject({
        status: 201,
        isReplayed: false,
        body: { customersUpdated: noted<Customer[]>('/customers').length },
      });
      await expectEqualStates();
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'has its groups at their versions on each node, and lets "repair" finish an operation that a cluster client left open',
    async () => {
      for (const [index, { version, ids }] of cluster.noted.groups.entries()) {
        const look = { headers: { 'x-operation-id': 'a look' } };
        const response = await fetch(`${cluster.replicas[index]!.url}/v1/groups`, look);
        const { groups } = (await response.json()) as { groups: { groupId: string }[] };
        expect([response.headers.get('x-group-version'), groups.map(({ groupId }) => groupId)]).toEqual([version, ids]);
      }

      const repaired = await cluster.command('--json', 'repair');
      expect(repaired).toMatchObject({ code: 0, error: '' });
      const { repaired: operations, open } = JSON.parse(repaired.out) as RepairReport;
      expect([open, operations.map(({ wanted, outcome }) => [wanted, outcome])]).toEqual([
        0,
        [
          [{ kind: 'create', groupId: 'half created' }, 'rolled-back'],
          [{ kind: 'delete', groupId: 'half deleted' }, 'rolled-back'],
          [{ kind: 'create', groupId: 'half undone' }, 'rolled-back'],
          [{ kind: 'create', groupId: 'not told' }, 'rolled-back'],
        ],
      ]);
      const { groups } = JSON.parse((await cluster.command('--json', 'list')).out) as {
        readonly groups: readonly { readonly groupId: string; readonly nodes: readonly string[] }[];
      };
      expect(groups.map(({ groupId, nodes }) => [groupId, nodes.length])).toEqual([
        ...[
          ['1', 4],
          ['drei "3"', 4],
          ['half deleted', 4],
          ['on one node', 1],
          ['two', 4],
        ],
      ]);
      expect((await cluster.command('create', 'a new one')).code).toBe(0);
    },
    TEST_TIMEOUT_MS,
  );

  it('keeps the quarantined copy of the replica that had another history', () => {
    const quarantined = cluster.replicas.flatMap(({ directory }) =>
      readdirSync(directory).filter((name) => name.startsWith('quarantined-')),
    );
    expect(quarantined).toHaveLength(1);
  });
});
