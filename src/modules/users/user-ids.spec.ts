import { beforeEach, describe, expect, it } from '@jest/globals';
import { AppError } from '../../kernel/index.js';
import { UserIds } from './user-ids.js';

/** The ids of two stores, as their lives tell them. */
class TwoStores {
  readonly sql = new Set<number>();
  readonly documents = new Set<string>();
  private last = 0;

  lastAllotted = (): number => this.last;
  isTaken = (id: number): boolean => this.sql.has(id) || this.documents.has(String(id));

  /** Takes a turn of the event loop, as every write does, and is refused when the id is taken by then. */
  choose = async (id: number): Promise<number> => {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.isTaken(id)) throw new AppError('conflict', 'taken', { retry: 'never' });
    this.sql.add(id);
    return id;
  };

  /** Of an id that was allotted. */
  write = async (id: number): Promise<number> => {
    await this.choose(id);
    this.last = Math.max(this.last, id);
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
    ids = new UserIds(stores, setImmediate);
  });

  it('given unused stores, begins with 1', async () => {
    expect([await ids.allot(stores.write), await ids.allot(stores.write)]).toEqual([1, 2]);
  });

  it('given fifty calls at once, gives each a different id, without a gap', async () => {
    expect(await allotMany(50)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  });

  it.each<[string, readonly number[], readonly string[], number]>([
    ['SQL, far above', [1e15, 7], [], 1],
    ['documents, far above', [], ['999999999999999', '12', 'ada', '08'], 1],
    ['SQL, next', [1, 2], [], 3],
    ['documents, next', [], ['1', '01', '3'], 2],
    ['both, next', [1, 3], ['2', '4'], 5],
  ])(
    'given ids that callers chose in %s, continues with the first free id',
    async (_where, sql, documents, expected) => {
      for (const id of sql) stores.sql.add(id);
      for (const id of documents) stores.documents.add(id);

      expect(await ids.allot(stores.write)).toBe(expected);
      ids = new UserIds(stores, setImmediate);
      expect(await ids.allot(stores.write)).toBeLessThan(10);
    },
  );

  it('given very many chosen ids in a row, skips them and yields to other work meanwhile', async () => {
    for (let id = 1; id <= 100_000; id += 1) stores.sql.add(id);
    let turns = 0;
    let isDone = false;
    const turn = (): void => {
      turns += 1;
      if (!isDone) setImmediate(turn);
    };
    setImmediate(turn);

    expect(await ids.allot(stores.write)).toBe(100_001);
    isDone = true;
    expect(turns).toBeGreaterThan(50);
    expect(await ids.allot(stores.write)).toBe(100_002);
  });

  it('given a restart after any of fifty ids, never gives an id again', async () => {
    const given: number[] = [];
    for (let life = 1; life <= 5; life += 1) {
      ids = new UserIds(stores, setImmediate);
      given.push(...(await allotMany(10)));
    }

    expect(given).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  });

  it('given callers who choose the same ids meanwhile, skips those, even when fifty are allotted at once', async () => {
    const chosen = Array.from({ length: 20 }, (_, index) => 3 * index + 1);
    const [allotted] = await Promise.all([allotMany(50), Promise.allSettled(chosen.map(stores.choose))]);

    expect(new Set(allotted).size).toBe(50);
    expect(stores.sql.size).toBeGreaterThanOrEqual(50);
    for (const id of allotted) expect(stores.sql.has(id)).toBe(true);
  });

  it('given a write that fails for another reason, rejects and gives its id to no other caller of this incarnation', async () => {
    const full = new AppError('storage-full', 'no room', { retry: 'safe' });

    await expect(ids.allot(() => Promise.reject(full))).rejects.toBe(full);
    expect(await ids.allot(stores.write)).toBe(2);
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
