import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '../../../../test/support/books-database.js';
import { temporaryDirectory } from '../../../../test/support/app-process.js';
import { ADDED_KEYS } from '../../../kernel/index.js';
import { PLATFORM_MIGRATIONS, type SqlDatabase } from '../../../platform/sql/index.js';
import { CheckoutRepository } from './checkout.repository.js';
import { CheckoutRetention } from './checkout-retention.js';
import { CreateSagas1764800000005 } from './create-sagas.migration.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const SWEEPS_UNTIL_ALL_ARE_LOOKED_AT = 360;

type Kind = 'unkeyed' | 'keyed' | 'added key' | 'running';

describe('the checkouts that orders.db keeps', () => {
  let directory: string;
  let database: SqlDatabase;
  let checkouts: CheckoutRepository;
  let retention: CheckoutRetention;
  let nowMs: number;

  /** All end now, but for the running ones. Their numbers are 1 and on. */
  const given = (...kinds: readonly Kind[]): Promise<void> =>
    database.writer.run(() => {
      kinds.forEach((kind, index) => {
        const number = index + 1;
        const key = {
          scope: `key ${String(number)}`,
          bodyHmac: 'h',
          owner: kind === 'added key' ? ADDED_KEYS : 'caller',
        };
        const operation = { id: String(number), ...((kind === 'keyed' || kind === 'added key') && key) };
        checkouts.insert(number, { orderId: 'o', userId: 'u', lines: [], total: 0, operation, startedAtMs: nowMs });
        if (kind === 'running') return;
        checkouts.end(checkouts.findWithinWrite(number)!, { state: 'completed', refusal: undefined, endedAtMs: nowMs });
      });
    });
  const kept = (): readonly number[] => checkouts.page({ after: '', limit: 100 }).map(({ number }) => number);

  beforeEach(async () => {
    nowMs = 1_000;
    directory = temporaryDirectory();
    const migrations = [...PLATFORM_MIGRATIONS, CreateSagas1764800000005];
    database = await openDatabase({ file: join(directory, 'orders.db'), entities: [], migrations });
    checkouts = new CheckoutRepository(database);
    retention = new CheckoutRetention(database, { nowMs: () => nowMs });
  });

  afterEach(async () => {
    await database.close();
    rmSync(directory, { recursive: true });
  });

  it('end the point below which step rows may go: 10 minutes, with a key 24 hours, and a running one for ever', async () => {
    await given('unkeyed', 'keyed', 'unkeyed', 'running');
    const startMs = nowMs;
    const pointAfter = (ms: number): number => {
      nowMs = startMs + ms;
      return retention.prunePoint(1);
    };
    expect([0, 10 * MINUTE_MS - 1, 10 * MINUTE_MS, DAY_MS - 1, DAY_MS].map(pointAfter)).toEqual([1, 1, 2, 2, 4]);
    expect(pointAfter(1_000 * DAY_MS)).toBe(4);
    await database.writer.run(() => {
      retention.deleteBelow(4);
    });
    expect(kept()).toEqual([4]);
  });

  it.each<Kind>(['keyed', 'running'])(
    'given a %s one, are forgotten behind it when their own time has come',
    async (kind) => {
      await given(kind, 'unkeyed', 'added key', 'unkeyed', 'unkeyed');

      nowMs += 10 * MINUTE_MS - 1;
      await retention.sweep();
      expect(kept()).toEqual([1, 2, 3, 4, 5]);

      nowMs += 1;
      await retention.sweep();
      expect([kept(), retention.prunePoint(1)]).toEqual([[1, 5], 1]);
    },
  );

  it('given that those before the last one are gone, let the point come past their numbers', async () => {
    await given('keyed', 'unkeyed', 'unkeyed', 'unkeyed');
    nowMs += 10 * MINUTE_MS;
    await retention.sweep();

    nowMs += DAY_MS;

    expect(retention.prunePoint(1)).toBe(5);
  });

  it('given a keyed one behind a running one, are looked at again within an hour of its end', async () => {
    await given('running', 'keyed', 'unkeyed');
    await retention.sweep();
    nowMs += DAY_MS;

    for (let sweep = 1; sweep < SWEEPS_UNTIL_ALL_ARE_LOOKED_AT; sweep += 1) await retention.sweep();

    expect(kept()).toEqual([1, 3]);
  });

  it('given more than are looked at at once, are all forgotten by one sweep', async () => {
    await given('keyed', ...Array.from({ length: 2_500 }, (): Kind => 'unkeyed'));
    nowMs += 10 * MINUTE_MS;

    await retention.sweep();

    expect(kept()).toEqual([1, 2_501]);
  });
});
