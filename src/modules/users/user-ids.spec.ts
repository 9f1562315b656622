import { beforeEach, describe, expect, it } from '@jest/globals';
import { AppError } from '../../kernel/index.js';
import { UserIds } from './user-ids.js';

/** The ids of two stores, as their lives tell them. */
class TwoStores {
  readonly sql = new Set<number>();
  readonly documents = new Set<string>();

  highestInSql = (): number => Math.max(0, ...this.sql);
  nextInDocuments = (): number => {
    const numbers = [...this.documents].filter((id) => /^[1-9]\d{0,14}$/.test(id)).map(Number);
    return Math.max(0, ...numbers) + 1;
  };
  isDocument = (id: number): boolean => this.documents.has(String(id));

  /** Takes a turn of the event loop, as every write does, and is refused when the id is taken by then. */
  write = async (id: number): Promise<number> => {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.sql.has(id) || this.isDocument(id)) throw new AppError('conflict', 'taken', { retry: 'never' });
    this.sql.add(id);
    return id;
  };
}

describe('UserIds', () => {
  let stores: TwoStores;
  let ids: UserIds;

  const allotMany = (count: number): Promise<number[]> =>
    Promise.all(Array.from({ length: count }, () => ids.allot(stores.write)));

  beforeEach(() => {
    stores = new TwoStores();
    ids = new UserIds(stores);
  });

  it('given stores that were never used, begins with 1', async () => {
    expect([await ids.allot(stores.write), await ids.allot(stores.write)]).toEqual([1, 2]);
  });

  it('given fifty at once, gives each another one, without a gap', async () => {
    expect(await allotMany(50)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  });

  it.each<[string, readonly number[], readonly string[], number]>([
    ['SQL', [7, 3], ['2'], 8],
    ['documents', [3], ['12', 'ada', '08'], 13],
    ['both', [5], ['5'], 6],
  ])('given higher ones in %s, goes on above them', async (_where, sql, documents, expected) => {
    for (const id of sql) stores.sql.add(id);
    for (const id of documents) stores.documents.add(id);

    expect(await ids.allot(stores.write)).toBe(expected);
  });

  it('given a restart after any of fifty, never gives one again', async () => {
    const given: number[] = [];
    for (let life = 1; life <= 5; life += 1) {
      ids = new UserIds(stores);
      given.push(...(await allotMany(10)));
    }

    expect(given).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  });

  it('given callers who choose the same ids meanwhile, passes over those, also where fifty are allotted at once', async () => {
    const chosen = Array.from({ length: 20 }, (_, index) => 3 * index + 1);
    const [allotted] = await Promise.all([allotMany(50), Promise.allSettled(chosen.map(stores.write))]);

    expect(new Set(allotted).size).toBe(50);
    expect(stores.sql.size).toBeGreaterThanOrEqual(50);
    for (const id of allotted) expect(stores.sql.has(id)).toBe(true);
  });

  it('given a write that fails for another reason, says so and gives its id to no one else in this life', async () => {
    const full = new AppError('storage-full', 'no room', { retry: 'safe' });

    await expect(ids.allot(() => Promise.reject(full))).rejects.toBe(full);
    expect(await ids.allot(stores.write)).toBe(2);
  });

  it('given documents with more digits than are counted, passes over them', async () => {
    stores.documents.add('9'.repeat(15));
    for (const last of [0, 1, 2]) stores.documents.add(`100000000000000${String(last)}`);

    // As a write that looks into SQL alone.
    expect(await ids.allot((id) => Promise.resolve(id))).toBe(1e15 + 3);
  });

  it('given nothing but conflicts, gives up', async () => {
    const conflict = new AppError('conflict', 'always', { retry: 'never' });
    let attempts = 0;
    const attempt = (): Promise<never> => {
      attempts += 1;
      return Promise.reject(conflict);
    };

    await expect(ids.allot(attempt)).rejects.toBe(conflict);
    expect(attempts).toBe(10_000);
  });
});
