import { describe, expect, it } from '@jest/globals';
import type { Answer, Client } from './support/client.js';
import { RESOURCES } from './support/resources.js';
import { useSharedApp } from './support/shared-app.js';

const app = useSharedApp();

interface Shown {
  readonly id: number;
}

function ids(answer: Answer): number[] {
  return answer.json<Shown[]>().map(({ id }) => id);
}

/** The path after the one that was answered; undefined on the last page. */
function nextOf(answer: Answer): string | undefined {
  return /^<([^>]+)>; rel="next"$/.exec(answer.header('link'))?.[1];
}

/** All ids, page by page. */
async function follow(client: Client, from: string): Promise<number[]> {
  const found: number[] = [];
  for (let at: string | undefined = from; at !== undefined;) {
    const page: Answer = await client.get(at);
    found.push(...ids(page));
    at = nextOf(page);
  }
  return found;
}

describe.each(RESOURCES)('the list $path', ({ path, input, serverOwned }) => {
  async function ensureAtLeast(count: number): Promise<number> {
    const total = Number((await app.client.get(`${path}?limit=1`)).header('x-total-count'));
    const missing = Math.max(0, count - total);
    // In no order but that of their ids.
    const [field] = Object.keys(input);
    const called = (n: number): object => ({ ...input, [field!]: `${'zyx'[n % 3]!}${String(n)}` });
    await Promise.all(Array.from({ length: missing }, (_, n) => app.client.add(path, called(n))));
    return total + missing;
  }

  it('given no parameters, returns the first hundred in id order and the total count', async () => {
    const total = await ensureAtLeast(130);
    const list = await app.client.get(path);
    expect([list.status, list.header('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    expect(list.header('x-total-count')).toBe(String(total));
    expect(ids(list)).toHaveLength(100);
    expect(ids(list)).toEqual([...ids(list)].sort((a, b) => a - b));
    expect(list.json<object[]>()[0]).toMatchObject(serverOwned);
  });

  it.each([1, 7, 100, 1_000])(
    'given a limit of %d, returns each id once and in order over the Link pages',
    async (limit) => {
      const total = await ensureAtLeast(25);
      const found = await follow(app.client, `${path}?limit=${String(limit)}`);
      expect(found).toHaveLength(total);
      expect(found).toEqual([...new Set(found)].sort((a, b) => a - b));
    },
  );

  it('given creates and deletes between the pages, returns every id that existed all the time', async () => {
    await ensureAtLeast(12);
    const before = await follow(app.client, `${path}?limit=1000`);
    const first = await app.client.get(`${path}?limit=5`);
    const removed = [ids(first)[4]!, before[7]!];
    for (const id of removed) await app.client.delete(`${path}/${String(id)}`);
    const added = Number((await app.client.add(path, input)).slice(path.length + 1));
    const rest = await follow(app.client, nextOf(first)!);
    expect([...ids(first), ...rest]).toEqual([...before.filter((id) => id !== removed[1]), added]);
  });

  it('given exactly as many left as the limit, has no next page', async () => {
    const total = await ensureAtLeast(3);
    const all = await app.client.get(`${path}?limit=${String(Math.min(1000, total))}`);
    expect([ids(all).length, all.hasHeader('link')]).toEqual([total, false]);
    const butOne = await app.client.get(`${path}?limit=${String(total - 1)}`);
    expect(nextOf(butOne)).toBe(`${path}?limit=${String(total - 1)}&after=${String(ids(butOne).at(-1))}`);
  });

  it('given after at the highest possible id, returns an empty array', async () => {
    const list = await app.client.get(`${path}?after=9007199254740991`);
    expect([list.status, list.text, list.hasHeader('link')]).toEqual([200, '[]', false]);
  });

  it('given after, returns only greater ids, whether or not that id exists', async () => {
    await ensureAtLeast(5);
    const [, second, third] = ids(await app.client.get(`${path}?limit=3`));
    expect(ids(await app.client.get(`${path}?limit=1&after=${String(second)}`))).toEqual([third]);
    await app.client.delete(`${path}/${String(second)}`);
    expect(ids(await app.client.get(`${path}?limit=1&after=${String(second)}`))).toEqual([third]);
  });

  it.each(['0', '-1', '1001', '1.5', '1e2', '01', 'abc', '', '%20', '5&limit=6', '99999999999999999999'])(
    'given limit=%s, refuses it by name',
    async (limit) => {
      (await app.client.get(`${path}?limit=${limit}`)).problem(400, 'limit');
    },
  );

  it.each(['-1', '1.5', 'abc', '', '01', '9007199254740992', '1&after=2'])(
    'given after=%s, refuses it by name',
    async (after) => {
      (await app.client.get(`${path}?after=${after}`)).problem(400, 'after');
    },
  );

  it('given an unknown parameter, refuses it by name', async () => {
    (await app.client.get(`${path}?limit=1&order=desc`)).problem(400, 'order');
    (await app.client.get(`${path}?__proto__=1&limit=1`)).problem(400, '__proto__');
  });
});
