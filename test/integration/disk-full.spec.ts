import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AppProcess } from '../support/app-process.js';
import { audit, AuditedClient } from '../support/audited-client.js';
import { SeededRandom } from '../support/seeded-random.js';
import { ShopClient } from '../support/shop-client.js';
import { acknowledgedBy, auditAfterRestart, writeUntil } from '../support/shop-load.js';
import { SmallDisk } from '../support/small-disk.js';

const DISK_BYTES = 8 * 1024 * 1024;
const SETTINGS = { LOG_LEVEL: 'silent', SNAPSHOT_EVERY_BYTES: '100000' };
const CLIENTS = 20;
/** What files have left in their last block is soon used up. */
const MAX_THAT_STILL_FIT = 10_000;

describe('the app on a full disk', () => {
  let disk: SmallDisk | undefined;
  let app: AppProcess;
  let shop: ShopClient;
  let clients: AuditedClient[];

  beforeEach(async () => {
    disk = SmallDisk.mountOrSayWhy(DISK_BYTES);
    if (!disk) return;
    clients = Array.from({ length: CLIENTS }, (_, index) => {
      const collection = index % 2 === 0 ? 'books' : 'customers';
      return new AuditedClient(`client ${String(index)}`, collection, new SeededRandom(index));
    });
    await start();
    await writeMore(300);
  });

  afterEach(async () => {
    if (!disk) return;
    await shop.close();
    await app.kill();
    disk.unmount();
  });

  const start = async (): Promise<void> => {
    app = await AppProcess.start(disk?.path ?? '', SETTINGS);
    shop = new ShopClient(app.url);
  };
  const writeMore = async (count: number): Promise<void> => {
    const enough = acknowledgedBy(clients) + count;
    await writeUntil(clients, shop, () => acknowledgedBy(clients) >= enough);
  };
  const writeUntilRefused = async (): Promise<void> => {
    const max = acknowledgedBy(clients) + MAX_THAT_STILL_FIT;
    const isRefused = (): boolean => acknowledgedBy(clients) > max || clients.every(({ refused }) => refused > 0);
    await writeUntil(clients, shop, isRefused);
    expect(clients.filter(({ refused }) => refused === 0)).toEqual([]);
  };
  const broken = async (): Promise<string[]> => audit(clients, await shop.stored());
  it('answers writes with 503 storage-full and Retry-After without writing, serves reads, and accepts writes again when there is room', async () => {
    if (!disk) return;
    disk.fill();
    await writeUntilRefused();

    const distinct = [...new Set(shop.refusals.map((refusal) => JSON.stringify(refusal)))];
    expect(distinct.map((refusal) => JSON.parse(refusal) as unknown)).toEqual([
      { code: 'storage-full', retryAfter: '5', type: 'application/problem+json; charset=utf-8' },
    ]);
    expect(await broken()).toEqual([]);
    expect(app.hasExited).toBe(false);

    disk.free();
    await writeMore(300);
    expect(await broken()).toEqual([]);
    await app.kill();
    await shop.close();
    await start();
    expect(await auditAfterRestart(app, clients, 2)).toEqual([]);
  });

  it('given kill -9 while the disk is full, keeps all acknowledged writes and no refused one', async () => {
    if (!disk) return;
    disk.fill();
    await writeUntilRefused();
    await app.kill();
    await shop.close();
    disk.free();
    await start();

    expect(await auditAfterRestart(app, clients, 2)).toEqual([]);
  });

  it('given kill -9 and a start on the full disk, keeps everything, and if it cannot start, says why in one line', async () => {
    if (!disk) return;
    disk.fill();
    await writeUntilRefused();
    await app.kill();
    await shop.close();
    for (let starts = 0; starts < 3; starts += 1) {
      disk.fill();
      const life = AppProcess.spawn(disk.path, SETTINGS);
      const isReady = await life.ready().then(
        () => true,
        () => false,
      );
      await life.kill();
      if (!isReady) expect(life.printed).toMatch(/^storage-full: [^\n]*\n$/);
    }

    disk.free();
    await start();
    expect(await auditAfterRestart(app, clients, 2)).toEqual([]);
  });
});
