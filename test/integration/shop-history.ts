import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { StandbyProcess } from '../support/standby-process.js';
import type { ExitOf } from '../support/server-process.js';
import { AuditedClient } from '../support/audited-client.js';
import { SeededRandom } from '../support/seeded-random.js';
import { ShopClient } from '../support/shop-client.js';
import { acknowledgedBy, auditAfterRestart, writeUntil } from '../support/shop-load.js';

/** Small, so that a short load meets snapshots and new segments. */
const SETTINGS = { SNAPSHOT_EVERY_BYTES: '20000', LOG_LEVEL: 'silent' };
const CLIENTS = 20;
const REPLAYS_PER_CLIENT = 1;
/** A crash site that this many acknowledged writes do not reach is never reached. */
const MAX_WRITES = 5_000;
const MAX_LISTED = 5;

export type Death = ExitOf & { readonly when: 'while starting' | 'under load'; readonly printed: string };

/** One data directory, its clients, and the many lives of the app on it. */
export class ShopHistory {
  readonly directory = temporaryDirectory();
  readonly clients: readonly AuditedClient[];
  private app: AppProcess | undefined;
  private standby: StandbyProcess | undefined;

  /** `next`: what follows a life that dies under load: another start, or a standby that already waits. */
  constructor(
    seed: number,
    private readonly next: 'restart' | 'standby' = 'restart',
  ) {
    this.clients = Array.from({ length: CLIENTS }, (_, index) => {
      const collection = index % 2 === 0 ? 'books' : 'customers';
      return new AuditedClient(`client ${String(index)}`, collection, new SeededRandom(seed + index));
    });
  }

  async end(): Promise<void> {
    await this.standby?.kill();
    await this.app?.kill();
    removeDirectory(this.directory);
  }

  /** A life that is to die at a crash site, and how it ended. Clients repeat what the last life left open. Undefined: it never reached the site. */
  async dieAt(crashSite: string): Promise<Death | undefined> {
    this.app = AppProcess.spawn(this.directory, { ...SETTINGS, FAULTS: '1', CRASH_SITE: crashSite });
    const { app } = this;
    const isReady = await app.ready().then(
      () => true,
      () => false,
    );
    if (!isReady) return { ...(await app.exited), when: 'while starting', printed: app.printed };
    if (this.next === 'standby') this.standby = await StandbyProcess.start(this.directory, SETTINGS);
    const shop = new ShopClient(app.url);
    const enough = acknowledgedBy(this.clients) + MAX_WRITES;
    await Promise.all(this.clients.map((client) => client.repeatOpen(shop.send)));
    await writeUntil(this.clients, shop, () => acknowledgedBy(this.clients) >= enough);
    await shop.close();
    const isDead = this.clients.some(({ open }) => open !== undefined);
    return isDead ? { ...(await app.exited), when: 'under load', printed: app.printed } : undefined;
  }

  /** A life without faults: what it owes its clients and did not keep. It leaves its files as `kill -9` does. */
  async audit(): Promise<string[]> {
    await this.app?.kill();
    this.app = this.standby ?? (await AppProcess.start(this.directory, SETTINGS));
    await this.standby?.promoted();
    this.standby = undefined;
    const broken = await auditAfterRestart(this.app, this.clients, REPLAYS_PER_CLIENT);
    await this.app.kill();
    return broken.slice(0, MAX_LISTED);
  }

  /** As when the machine had died in the middle of a write. */
  tearJournal(): void {
    const documents = join(this.directory, 'documents');
    const segments = readdirSync(documents).filter((name) => /^journal-[\d-]+[.]log$/.test(name));
    appendFileSync(join(documents, segments.sort().at(-1) ?? ''), '0bad5eed {"epoch":1,"seq":');
  }
}
