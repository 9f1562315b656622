import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { StandbyProcess } from '../support/standby-process.js';
import type { ExitOf } from '../support/server-process.js';
import { eventually } from '../support/eventually.js';
import type { SeededRandom } from '../support/seeded-random.js';
import { AuditedCheckouts, expectNoneOpen } from '../support/audited-checkouts.js';
import { inParallel, ShopClients } from '../support/shop-clients.js';

const SETTINGS = { LOG_LEVEL: 'silent' };
const WIDTH = 20;
const ENDS_WITHIN_MS = 60_000;

export type CheckoutDeath = ExitOf & { readonly when: 'while starting' | 'under load' };

/** One data directory of a shop, and the many lives of the app on it. Each order is checked out once, with a key. */
export class CheckoutHistory {
  readonly directory = temporaryDirectory();
  private readonly checkouts: AuditedCheckouts;
  private app: AppProcess | undefined;
  private standby: StandbyProcess | undefined;

  /** `next`: what follows a life that dies under load: another start, or a standby that already waits. */
  constructor(
    random: SeededRandom,
    private readonly next: 'restart' | 'standby' = 'restart',
  ) {
    this.checkouts = new AuditedCheckouts(random);
  }

  async begin(): Promise<void> {
    await this.live({}, (shop) => this.checkouts.prepare(shop));
  }

  async end(): Promise<void> {
    await this.standby?.kill();
    await this.app?.kill();
    removeDirectory(this.directory);
  }

  /** A life that dies at this crash site, under load or in its start. Undefined: `count` orders did not reach it. */
  async dieAt(crashSite: string, count: number): Promise<CheckoutDeath | undefined> {
    const app = AppProcess.spawn(this.directory, { ...SETTINGS, FAULTS: '1', CRASH_SITE: crashSite });
    this.app = app;
    const isReady = await app.ready().then(
      () => true,
      () => false,
    );
    if (!isReady) return { ...(await app.exited), when: 'while starting' };
    if (this.next === 'standby') this.standby = await StandbyProcess.start(this.directory, SETTINGS);
    const isOver = await this.buy(app, count).catch(() => false);
    return isOver ? undefined : { ...(await app.exited), when: 'under load' };
  }

  /** A life that is killed once so many checkouts have been answered. */
  async killAfter(answers: number, count: number): Promise<void> {
    const app = await AppProcess.start(this.directory, SETTINGS);
    this.app = app;
    await this.buy(app, count, (answered) => {
      if (answered === answers) void app.kill();
    }).catch(() => undefined);
    await app.kill();
  }

  /**
   * A life without faults, in which every checkout is repeated with its key, then all that is not as its clients were told. All
   * sagas end in it, none is parked.
   */
  async audit(): Promise<readonly string[]> {
    let wrong: readonly string[] = [];
    await this.live({}, async (shop) => {
      await eventually(() => expectNoneOpen(shop), { withinMs: ENDS_WITHIN_MS });
      wrong = await this.checkouts.wrongIn(shop);
    });
    return [...wrong, ...this.checkouts.unbalancedIn(this.directory)];
  }

  /** Paid and refused, so far. */
  get counts(): { readonly paid: number; readonly refused: number } {
    return this.checkouts.counts;
  }

  private async live(environment: Record<string, string>, work: (shop: ShopClients) => Promise<void>): Promise<void> {
    await this.app?.kill();
    this.app = this.standby ?? (await AppProcess.start(this.directory, { ...SETTINGS, ...environment }));
    await this.standby?.promoted();
    this.standby = undefined;
    const shop = new ShopClients(this.app.url);
    await work(shop).finally(() => {
      shop.close();
    });
    await this.app.stop();
  }

  /** True when all `count` new orders were answered. */
  private async buy(app: AppProcess, count: number, answered?: (count: number) => void): Promise<boolean> {
    const shop = new ShopClients(app.url);
    let answers = 0;
    try {
      await inParallel(count, WIDTH, async () => {
        await this.checkouts.buyOne(shop);
        answered?.((answers += 1));
      });
      return true;
    } finally {
      shop.close();
    }
  }
}
