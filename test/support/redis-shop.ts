import { expect } from '@jest/globals';
import { AppProcess, removeDirectory, temporaryDirectory } from './app-process.js';
import { raceUnderFaults, type RaceProgress } from './race-under-faults.js';
import { ReaderProcess } from './reader-process.js';
import { RecordedShop } from './recorded-shop.js';
import type { RedisCluster } from './redis-cluster.js';
import { SeededRandom } from './seeded-random.js';

/** `npm run race` sets it: a race then has its faults again and again, for so many seconds. */
const RACE_MS = Number(process.env['RACE_SECONDS'] ?? 0) * 1_000;
const CLIENTS = { size: 200, writers: 2, readers: 14 };
/** A request waits for Redis some deadlines of 100 ms at most; a slow machine takes its part, and nobody waits for a node. */
const MAX_REQUEST_MS = 10_000;

/** Settings of a process that looks for every list in Redis, and logs nothing that is not wrong. */
export function redisSettings({ addresses, password }: RedisCluster): Readonly<Record<string, string>> {
  return { REDIS_CLUSTER_NODES: addresses, REDIS_PASSWORD: password, CACHE_BYTES: '0', LOG_LEVEL: 'error' };
}

/** A real app and a real reader that share lists through a Redis Cluster. */
export class RedisShop {
  private constructor(
    private readonly directory: string,
    private readonly app: AppProcess,
    private readonly reader: ReaderProcess,
  ) {}

  static async start(cluster: RedisCluster): Promise<RedisShop> {
    const directory = temporaryDirectory();
    const app = await AppProcess.start(directory, redisSettings(cluster));
    try {
      return new RedisShop(directory, app, await ReaderProcess.start(directory, redisSettings(cluster)));
    } catch (error) {
      await app.kill();
      throw error;
    }
  }

  get urls(): readonly string[] {
    return [this.app.url, this.reader.url];
  }

  /** Clients of both race for 200 books until `faults` are over: no request fails or waits long, and no reader sees an older version. */
  async race(faults: (progress: RaceProgress) => Promise<void>): Promise<void> {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const shop = new RecordedShop('books');
    const where = { writeTo: this.urls, readFrom: this.urls };
    const endMs = performance.now() + RACE_MS;
    try {
      await raceUnderFaults({ shop, random: new SeededRandom(seed), ...CLIENTS, ...where }, async (progress) => {
        do await faults(progress);
        while (performance.now() < endMs);
      });
    } finally {
      await shop.close();
    }
    expect({ seed, violations: shop.violations() }).toEqual({ seed, violations: [] });
    expect(shop.unserved).toEqual({});
    expect(shop.slowestMs).toBeLessThan(MAX_REQUEST_MS);
    expect(this.app.printed + this.reader.printed).toBe('');
  }

  async end(): Promise<void> {
    await this.reader.kill();
    await this.app.kill();
    removeDirectory(this.directory);
  }
}
