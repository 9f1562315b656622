import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { ClusterClient, type Outcome, systemPorts } from '../../src/protocols/cluster-client/index.js';
import { AuditedCheckouts, expectNoneOpen } from '../support/audited-checkouts.js';
import { eventually } from '../support/eventually.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { freePort } from '../support/ports.js';
import { SeededRandom } from '../support/seeded-random.js';
import { inParallel, ShopClients } from '../support/shop-clients.js';
import { TransactionShop } from '../support/transaction-shop.js';
import { TwoStoreHistory } from '../support/two-store-history.js';

/** `npm run test:crash -- --takeovers 100` lets it take over more often. */
const TAKEOVERS = Number(process.env['GATEWAY_TAKEOVERS'] ?? 2);
const REPLICAS = 3;
const CLIENTS = 10;
const BUYERS = 4;
const DONE_BETWEEN = 40;
const WITHIN = { withinMs: 120_000 };
const SETTLE = { withinMs: 60_000 };
/** However slow the machine is, the next app is active before the hold ends; a repeat comes before an added key ends. */
const PATIENT = {
  ...{ REPLICA_TIMEOUT_MS: '10000', PREPARE_DEADLINE_MS: '12000', WRITE_DEADLINE_MS: '15000' },
  ...{ CHECKOUT_TIMEOUT_MS: '20000', GATEWAY_HOLD_MS: '90000' },
};
const TEST_TIMEOUT_MS = Math.max(300_000, TAKEOVERS * 60_000);

describe('a gateway before apps with three replicas, under clients of both stores, of checkouts and of groups', () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const random = new SeededRandom(seed);
  const checkouts = new AuditedCheckouts(random);
  let history: TwoStoreHistory;
  let gateway: GatewayProcess;
  let port: string;

  beforeAll(async () => {
    history = await TwoStoreHistory.begin(seed, { clients: CLIENTS, replicas: REPLICAS, settings: PATIENT });
    await history.live();
    port = String(await freePort());
    gateway = await startGateway();
    const shop = new ShopClients(gateway.url);
    await checkouts.prepare(shop);
    shop.close();
    const transactions = new TransactionShop(gateway.url);
    await history.createProbe(gateway, transactions);
    await transactions.close();
  });

  afterAll(async () => {
    await gateway.kill();
    await history.end();
  });

  function startGateway(): Promise<GatewayProcess> {
    const { cluster } = history;
    return GatewayProcess.start(cluster.dataDirectory, { ...cluster.settings, GATEWAY_PORT: port });
  }

  async function takeOver(): Promise<void> {
    const { cluster } = history;
    const standby = await cluster.startStandby();
    await cluster.app.kill();
    await cluster.takenOverBy(standby);
  }

  const more = async (count: number): Promise<void> => {
    const enough = history.doneCount + count;
    await eventually(() => expect(history.doneCount).toBeGreaterThanOrEqual(enough), WITHIN);
  };

  /** All clients of both stores write until `work` is over. */
  async function underLoad(transactions: TransactionShop, work: () => Promise<void>): Promise<void> {
    let isOver = false;
    const load = history.load({ hasExited: false }, transactions, () => isOver);
    await work().finally(async () => {
      isOver = true;
      await load;
    });
  }

  it(
    `and the standby takes over ${String(TAKEOVERS)} times: each request is answered, every store and every group is as it was told, and credit and stock add up`,
    async () => {
      let isOver = false;
      const transactions = new TransactionShop(gateway.url);
      const shop = new ShopClients(gateway.url);
      const groups = await ClusterClient.open(
        {
          ...{
            nodes: history.cluster.replicas.map(({ url }) => url.replace('http://', '')),
            attempts: 2,
            backoffMs: 1,
          },
          directory: join(history.cluster.directory, 'groups-client'),
        },
        systemPorts(),
      );
      const told = new Map<string, Outcome>();
      const grouping = async (): Promise<void> => {
        for (let number = 0; !isOver; number += 1) {
          const name = `group ${String(number)}`;
          told.set(name, (await groups.create(name)).outcome);
        }
      };
      const buying = inParallel(BUYERS, BUYERS, async () => {
        while (!isOver) await checkouts.buyOne(shop);
      });
      const load = Promise.all([history.load(gateway, transactions, () => isOver), buying, grouping()]);
      try {
        for (let takeover = 0; takeover < TAKEOVERS; takeover += 1) {
          await more(1 + random.below(DONE_BETWEEN));
          await takeOver();
        }
        await more(DONE_BETWEEN);
      } finally {
        isOver = true;
        await load;
      }

      const unanswered = [...transactions.statuses.keys()].filter((status) => status === 'none' || status >= 500);
      expect({ seed, unanswered, refusals: transactions.refusals }).toEqual({ seed, unanswered: [], refusals: [] });
      await history.cluster.settled();
      expect({ seed, broken: await history.broken() }).toEqual({ seed, broken: [] });
      await eventually(() => expectNoneOpen(shop), SETTLE);
      expect({ seed, wrong: await checkouts.wrongIn(shop) }).toEqual({ seed, wrong: [] });
      const unbalanced = checkouts.unbalancedIn(history.cluster.dataDirectory);
      expect({ seed, unbalanced, unanswered: checkouts.counts.unanswered }).toEqual({
        seed,
        unbalanced: [],
        unanswered: 0,
      });
      expect(checkouts.counts.paid).toBeGreaterThan(0);
      for (const [name, outcome] of told) {
        const having = await Promise.all(
          history.cluster.replicas.map(async ({ url }) => {
            return (await fetch(`${url}/v1/group/${encodeURIComponent(name)}`)).status === 200;
          }),
        );
        expect([name, outcome, ...having]).toEqual([name, 'done', true, true, true]);
      }
      expect(told.size).toBeGreaterThan(0);
      const repeated = await (await fetch(`${gateway.url}/metrics`)).text();
      expect(Number(/^gateway_repeated_requests_total (\d+)$/m.exec(repeated)?.[1])).toBeGreaterThan(0);
      await groups.close();
      await transactions.close();
      shop.close();
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'and the gateway is killed and started again: connections fail only while it is gone, and nothing is done twice',
    async () => {
      const transactions = new TransactionShop(gateway.url);
      const failed = (): number => transactions.statuses.get('none') ?? 0;
      await underLoad(transactions, async () => {
        await more(DONE_BETWEEN);
        expect(failed()).toBe(0);
        await gateway.kill();
        await eventually(() => expect(failed()).toBeGreaterThan(0), WITHIN);
        gateway = await startGateway();
        await more(CLIENTS);
        const whileGone = failed();
        await more(DONE_BETWEEN);
        expect(failed()).toBe(whileGone);
      });

      expect({ seed, broken: await history.broken() }).toEqual({ seed, broken: [] });
      await transactions.close();
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'and both apps are killed at once: the gateway holds what comes, and all is answered when one is started again',
    async () => {
      const { cluster } = history;
      const standby = await cluster.startStandby();
      await Promise.all([cluster.app.kill(), standby.kill()]);
      const transactions = new TransactionShop(gateway.url);
      await underLoad(transactions, async () => {
        await eventually(async () => {
          const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
          expect(Number(/^gateway_held_requests (\d+)$/m.exec(metrics)?.[1])).toBe(CLIENTS);
        }, WITHIN);
        expect([...transactions.statuses]).toEqual([]);
        await cluster.startApp();
        await more(DONE_BETWEEN);
      });

      expect([...transactions.statuses.keys()].filter((status) => status === 'none' || status >= 500)).toEqual([]);
      await cluster.settled();
      expect({ seed, broken: await history.broken() }).toEqual({ seed, broken: [] });
      await transactions.close();
    },
    TEST_TIMEOUT_MS,
  );
});
