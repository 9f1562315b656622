import { beforeEach, describe, expect, it } from '@jest/globals';
import { audit, AuditedClient, type Send, type WriteRequest } from '../support/audited-client.js';
import { SeededRandom } from '../support/seeded-random.js';

/** A shop that keeps every promise except the one that a test breaks. */
class PlantedShop {
  readonly stored = new Map<number, string>();
  readonly answers = new Map<string, { status: number; body: string }>();
  plant: (request: WriteRequest, nth: number) => 'keep' | 'lose' | 'twice' | 'forget key' | 'no answer' = () => 'keep';
  private nextId = 1;
  private received = 0;

  readonly send: Send = (request) => {
    const known = this.answers.get(request.key);
    if (known) return Promise.resolve(known);
    this.received += 1;
    const planted = this.plant(request, this.received);
    const id = request.id ?? this.nextId;
    if (request.action === 'create') this.nextId += 2;
    if (request.action === 'delete') this.stored.delete(id);
    else if (planted !== 'lose') this.stored.set(id, request.content);
    if (planted === 'twice') this.stored.set(id + 1, request.content);
    const status = { create: 201, replace: 200, delete: 204 }[request.action];
    const reply = { status, body: JSON.stringify({ id }) };
    if (planted !== 'forget key') this.answers.set(request.key, reply);
    return Promise.resolve(planted === 'no answer' ? undefined : reply);
  };
}

describe('the audit of acknowledged writes', () => {
  let client: AuditedClient;
  let shop: PlantedShop;

  beforeEach(() => {
    client = new AuditedClient('client', 'books', new SeededRandom(1));
    shop = new PlantedShop();
  });

  const writeAll = async (): Promise<string[]> => {
    for (let left = 40; left > 0 && client.open === undefined; left -= 1) await client.write(shop.send);
    return audit([client], { books: shop.stored, customers: new Map() });
  };
  const fifth = (what: ReturnType<PlantedShop['plant']>): void => {
    shop.plant = (_, nth) => (nth === 5 ? what : 'keep');
  };

  it('given a shop that keeps its promises, finds nothing', async () => {
    expect(await writeAll()).toEqual([]);
    await client.replay(shop.send, 40);
    expect(client.complaints).toEqual([]);
    expect(client.acknowledged).toBe(40);
  });

  it('given a lost acknowledged write, finds it', async () => {
    shop.plant = ({ action }) => (action === 'create' ? 'lose' : 'keep');

    expect((await writeAll())[0]).toMatch(/should be "by client \d+" and is gone/);
  });

  it('given a lost replacement, finds the older content', async () => {
    shop.plant = ({ action }) => (action === 'replace' ? 'lose' : 'keep');

    expect((await writeAll())[0]).toMatch(/should be "by client \d+" and is "by client \d+"/);
  });

  it('given a write that took effect twice, finds the second effect', async () => {
    shop.plant = ({ action }) => (action === 'create' ? 'twice' : 'keep');

    expect((await writeAll())[0]).toMatch(/exists, but no client received this answer/);
  });

  it('given a forgotten key, finds the different answer to its repetition', async () => {
    shop.plant = () => 'forget key';
    await writeAll();
    shop.plant = () => 'keep';
    await client.replay(shop.send, 40);

    expect(client.complaints[0]).toMatch(/was answered 2\d\d .* and, when repeated, 2\d\d/);
  });

  it('given a request without an answer, accepts either outcome, then exactly one effect of its repetition', async () => {
    fifth('no answer');
    expect(await writeAll()).toEqual([]);
    expect(client.open).toBeDefined();
    await client.repeatOpen(shop.send);

    expect(client.open).toBeUndefined();
    expect(await writeAll()).toEqual([]);
  });

  it('given a request without an answer whose repetition has a second effect, finds it', async () => {
    shop.plant = ({ action }) => (action === 'create' ? 'no answer' : 'keep');
    await writeAll();
    shop.answers.clear();
    shop.plant = () => 'keep';
    await client.repeatOpen(shop.send);

    expect((await writeAll())[0]).toMatch(/exists, but no client received this answer/);
  });
});
