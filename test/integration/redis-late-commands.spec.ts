import { expect, it } from '@jest/globals';
import { GenerationCache } from '../../src/platform/cache/index.js';
import { monotonicMs, systemRandom, systemTimers } from '../../src/platform/process/index.js';
import { RedisCacheTier, RedisClient } from '../../src/platform/redis/index.js';
import { eventually } from '../support/eventually.js';
import { ABSENT, linearizabilityViolations, type RegisterOperation } from '../support/linearizability.js';
import { RecordingLog } from '../support/recording-log.js';
import { describeOnRedis } from '../support/redis-cluster.js';
import { SeededRandom } from '../support/seeded-random.js';
import { VersionedTable } from '../support/versioned-table.js';

const TABLE = 'books';
const NAMES = ['a', 'b', 'c', 'd'];
const WRITES = 200;
const READERS = 8;
/** A rejected command is executed after so many later ones at most. */
const MAX_DELAY = 40;
const SHARE_REJECTED = 0.3;
const WITHIN_MS = 60_000;
/** No command is to be late because this machine is busy. */
const PATIENT_MS = 20_000;

/** A client of which some commands reject at once, and are executed later. */
class LateCommands {
  rejected = 0;
  executedLate = 0;
  private readonly late: { countdown: number; readonly execute: () => Promise<unknown> }[] = [];

  constructor(
    private readonly client: RedisClient,
    private readonly random: SeededRandom,
  ) {}

  /** The client with the same methods. */
  get wrapped(): RedisClient {
    return new Proxy(this.client, {
      get: (client, name) => {
        if (name === 'get') return (key: string) => this.run(() => client.get(key));
        if (name === 'call') return (...args: Parameters<RedisClient['call']>) => this.run(() => client.call(...args));
        const value: unknown = Reflect.get(client, name, client);
        return typeof value === 'function' ? (value.bind(client) as unknown) : value;
      },
    });
  }

  private async run<T>(execute: () => Promise<T>): Promise<T> {
    for (const command of this.late.filter((each) => (each.countdown -= 1) === 0)) {
      await command.execute();
      this.executedLate += 1;
    }
    if (!this.random.chance(SHARE_REJECTED)) return execute();
    this.late.push({ countdown: 1 + this.random.below(MAX_DELAY), execute });
    this.rejected += 1;
    throw new Error('no answer came in time');
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describeOnRedis('with commands that were rejected and are executed later', (redis) => {
  it('two processes that share the cache and race with writes, read nothing stale, and fail no read', async () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = new SeededRandom(seed);
    const log = new RecordingLog();
    const client = await RedisClient.open(redis(), { log, nowMs: monotonicMs }, PATIENT_MS);
    await eventually(
      () => {
        expect(client.isReady).toBe(true);
      },
      { withinMs: WITHIN_MS },
    );
    const late = new LateCommands(client, random);
    const table = new VersionedTable();
    const ports = { log, nowMs: monotonicMs, random: systemRandom, timers: systemTimers };
    const caches = [10_000, 0].map((maxBytes) => {
      const cache = new GenerationCache<{ bytes: Buffer }>(table, maxBytes);
      const tier = new RedisCacheTier(late.wrapped, systemRandom);
      cache.share({ tier, encode: ({ bytes }) => bytes, decode: (bytes) => ({ bytes }), ports });
      return cache;
    });
    const histories = new Map<string, RegisterOperation[]>(NAMES.map((name) => [name, []]));
    const sources = new Map<string, number>();
    let isWriting = true;

    const write = async (): Promise<void> => {
      for (let number = 0; number < WRITES; number += 1) {
        const name = NAMES[random.below(NAMES.length)]!;
        const value = `text ${String(number)}`;
        const beganAt = performance.now();
        await turn();
        table.write(name, value);
        await turn();
        histories.get(name)!.push({ client: 'writer', kind: 'write', value, beganAt, answeredAt: performance.now() });
        // Without reads of a generation there are no hits.
        const before = sources.get('redis') ?? 0;
        if (number % 20 === 0)
          await eventually(
            () => {
              expect(sources.get('redis') ?? 0).toBeGreaterThan(before);
            },
            { withinMs: WITHIN_MS },
          );
      }
      isWriting = false;
    };
    const read = async (reader: number): Promise<void> => {
      while (isWriting) {
        const name = NAMES[random.below(NAMES.length)]!;
        const beganAt = performance.now();
        const { value, source } = await caches[reader % 2]!.readShared(TABLE, name, () => ({
          bytes: Buffer.from(table.rows.get(name) ?? ''),
        }));
        const text = value.bytes.toString();
        sources.set(source, (sources.get(source) ?? 0) + 1);
        histories.get(name)!.push({
          client: `reader ${String(reader)}`,
          kind: 'read',
          value: text === '' ? ABSENT : text,
          beganAt,
          answeredAt: performance.now(),
        });
        await turn();
      }
    };
    await Promise.all([
      write().finally(() => (isWriting = false)),
      ...Array.from({ length: READERS }, (_, reader) => read(reader)),
    ]);
    client.close();

    const violations = [...histories].flatMap(([name, history]) =>
      linearizabilityViolations(history).map((text) => `${name}: ${text}`),
    );
    expect({ seed, violations }).toEqual({ seed, violations: [] });
    expect(Math.min(late.rejected, late.executedLate)).toBeGreaterThan(100);
  }, 300_000);
});
