import { join } from 'node:path';
import type { AppProcess } from './app-process.js';
import type { StandbyProcess } from './standby-process.js';
import type { ExitOf } from './server-process.js';
import { Cluster } from './cluster.js';
import { eventually } from './eventually.js';
import { SeededRandom } from './seeded-random.js';
import { auditStores, increments } from './transaction-audit.js';
import {
  type Mix,
  Meeting,
  transactionIn,
  type TransactionAction,
  TransactionClient,
  WHOLE_MIX,
} from './transaction-client.js';
import { TransactionShop } from './transaction-shop.js';

const SETTINGS = { SNAPSHOT_EVERY_BYTES: '20000' };
const REPLAYS_PER_CLIENT = 1;
const MAX_DONE = 3_000;
const MAX_LISTED = 5;
const DONE_BEFORE_DISTURBANCE = 30;
const SETTLE_WITHIN_MS = 60_000;

export type Death = ExitOf & { readonly when: 'while starting' | 'under load'; readonly printed: string };

export interface DeathOptions {
  readonly settings?: Readonly<Record<string, string>>;
  /** Called once, when some requests have been done. */
  readonly disturb?: () => void;
  /** A site that so many requests which are done do not reach counts as never reached. */
  readonly max?: number;
}

export interface HistoryOptions {
  readonly clients?: number;
  readonly replicas?: number;
  readonly mix?: Mix;
  readonly settings?: Readonly<Record<string, string>>;
  /** What follows an incarnation that dies under load: another start, or a standby that already waits. */
  readonly next?: 'restart' | 'standby';
}

/** One data directory and its replicas, the clients that write to both stores, and the many incarnations of the app. */
export class TwoStoreHistory {
  readonly clients: readonly TransactionClient[];
  /** Creates one customer before anything else is asked for, and nothing more. */
  private readonly probe: TransactionClient;
  private mortal: AppProcess | undefined;
  private standby: StandbyProcess | undefined;
  private readonly next: HistoryOptions['next'];

  private constructor(
    readonly cluster: Cluster,
    readonly seed: number,
    { clients = 20, mix = WHOLE_MIX, next }: HistoryOptions,
  ) {
    this.next = next;
    const meeting = new Meeting();
    const client = (name: string, index: number): TransactionClient =>
      new TransactionClient(name, new SeededRandom(seed + index), meeting, mix);
    this.probe = client('probe', clients);
    this.clients = Array.from({ length: clients }, (_, index) => client(`c${String(index)}`, index));
  }

  /** No app runs yet; the replicas do. */
  static async begin(seed: number, options: HistoryOptions = {}): Promise<TwoStoreHistory> {
    const cluster = await Cluster.prepare({ ...SETTINGS, ...options.settings }, options.replicas ?? 0);
    return new TwoStoreHistory(cluster, seed, options);
  }

  async end(): Promise<void> {
    await this.standby?.kill();
    await this.mortal?.kill();
    await this.cluster.end();
  }

  get doneCount(): number {
    return this.clients.reduce((sum, { done }) => sum + done.length, 0);
  }

  get refusedCount(): number {
    return this.clients.reduce((sum, { refused }) => sum + refused.length, 0);
  }

  /** The ids of the transactions that clients were told to be committed. */
  transactionsTold(): string[] {
    return this.clients.flatMap(({ done }) => done.flatMap((exchange) => transactionIn(exchange) ?? []));
  }

  get sqlFile(): string {
    return join(this.cluster.dataDirectory, 'bookstore.db');
  }

  get openCount(): number {
    return this.clients.filter(({ open }) => open !== undefined).length;
  }

  /** A incarnation that is to die at a crash site, and how it ended. Undefined: it never reached the site. */
  async dieAt(
    crashSite: string,
    { settings = {}, disturb, max = MAX_DONE }: DeathOptions = {},
  ): Promise<Death | undefined> {
    const app = this.cluster.spawnApp({ LOG_LEVEL: 'silent', FAULTS: '1', CRASH_SITE: crashSite, ...settings });
    this.mortal = app;
    if (!(await isReady(app))) return { ...(await app.exited), when: 'while starting', printed: app.printed };
    if (this.next === 'standby') this.standby = await this.cluster.startStandby();
    const shop = new TransactionShop(app.url);
    const before = this.doneCount;
    let isDisturbed = false;
    await this.load(app, shop, () => {
      if (!isDisturbed && this.doneCount >= before + DONE_BEFORE_DISTURBANCE) {
        isDisturbed = true;
        disturb?.();
      }
      return this.doneCount >= before + max;
    });
    await shop.close();
    return app.hasExited ? { ...(await app.exited), when: 'under load', printed: app.printed } : undefined;
  }

  /** A incarnation without faults, which goes on. With every replica in sync. */
  async live(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    if (this.standby) await this.cluster.takenOverBy(this.standby);
    else await this.cluster.startApp(settings);
    this.standby = undefined;
    await this.cluster.settled();
  }

  /**
   * All clients write at once until `isOver` or until the app, or the gateway before it, is gone. What is not answered as done or not done is asked
   * for again, as a careful client does.
   */
  async load(app: Pick<AppProcess, 'hasExited'>, shop: TransactionShop, isOver: () => boolean): Promise<void> {
    await this.createProbe(app, shop);
    await Promise.all(
      this.clients.map(async (client) => {
        while (!isOver() && !app.hasExited) await attempt(client, shop);
      }),
    );
  }

  /** The customer that counts every book that is added together with an order. */
  async createProbe(app: Pick<AppProcess, 'hasExited'>, shop: TransactionShop): Promise<void> {
    while (this.probe.done.length === 0 && !app.hasExited) await attempt(this.probe, shop, 'customer');
  }

  /** Asks again for all that is open, as often as it takes. */
  async settleOpen(shop: TransactionShop): Promise<void> {
    await eventually(
      async () => {
        const everyone = [this.probe, ...this.clients];
        const answered = await Promise.all(everyone.map((client) => client.repeatOpen(shop.send)));
        if (answered.includes(false)) throw new Error(`${String(this.openCount)} requests are not answered`);
      },
      { withinMs: SETTLE_WITHIN_MS, everyMs: 100 },
    );
  }

  /** What is stored of requests that are not answered: after a clean stop there must be nothing. */
  async openAndDone(): Promise<readonly string[]> {
    const shop = new TransactionShop(this.cluster.app.url);
    const { books, customers, usersInSql, usersInDocuments } = await shop.stores(this.clients);
    await shop.close();
    const stored = [books, usersInSql, usersInDocuments].flatMap((store) => [...store.values()]);
    const all = new Set([...stored, ...[...customers.values()].map(({ content }) => content)]);
    return this.clients.flatMap(({ open }) => (open && all.has(open.request.content) ? [open.request.content] : []));
  }

  /**
   * What the running app owes its clients and did not keep: first as it stands, then once everything open was repeated
   * and some of what was done was asked for again, on every node.
   */
  async broken(): Promise<string[]> {
    const shop = new TransactionShop(this.cluster.app.url);
    const everyone = [this.probe, ...this.clients];
    try {
      const found = auditStores(everyone, await shop.stores(everyone));
      await this.settleOpen(shop);
      await Promise.all(this.clients.map((client) => client.replay(shop.send, REPLAYS_PER_CLIENT)));
      const state = await shop.stores(everyone);
      const onReplicas = await this.onReplicas(everyone, state.books);
      const unconfirmed = await shop.unconfirmed(everyone);
      return [...new Set([...found, ...auditStores(everyone, state), ...onReplicas, ...unconfirmed])].slice(
        0,
        MAX_LISTED,
      );
    } finally {
      await shop.close();
    }
  }

  /** A incarnation without faults and its audit. It leaves its files as `kill -9` does. */
  async audit(): Promise<string[]> {
    await this.mortal?.kill();
    for (const replica of this.cluster.replicas) replica.release();
    await this.live();
    const broken = await this.broken();
    await this.cluster.app.kill();
    return broken;
  }

  private async onReplicas(
    everyone: readonly TransactionClient[],
    books: ReadonlyMap<number, string>,
  ): Promise<string[]> {
    const { cluster } = this;
    if (cluster.replicas.length === 0) return [];
    await cluster.settled();
    // The last commit records are on their way.
    const differences = await eventually(
      async () => {
        const found = await cluster.differences();
        if (found.length > 0) throw new Error(found.join('; '));
        return [];
      },
      { withinMs: SETTLE_WITHIN_MS, everyMs: 100 },
    ).catch((error: unknown) => [String(error)]);
    const counts = cluster.replicas.map(async ({ url }) => {
      const node = new TransactionShop(url);
      try {
        return increments(url, everyone, books, await node.node());
      } finally {
        await node.close();
      }
    });
    return [...differences, ...(await Promise.all(counts)).flat()];
  }
}

function attempt(client: TransactionClient, shop: TransactionShop, action?: TransactionAction): Promise<boolean> {
  return client.open === undefined ? client.write(shop.send, action) : client.repeatOpen(shop.send);
}

/** False when it ended before it served data. */
async function isReady(app: AppProcess): Promise<boolean> {
  const hasStarted = await app.ready().then(
    () => true,
    () => false,
  );
  if (!hasStarted) return false;
  return eventually(
    async () => {
      if (app.hasExited) return false;
      const { status } = await fetch(`${app.url}/health/ready`);
      if (status !== 200) throw new Error(`the app is not ready: ${String(status)}`);
      return true;
    },
    { withinMs: SETTLE_WITHIN_MS },
  );
}
