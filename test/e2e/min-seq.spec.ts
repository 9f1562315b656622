import { describe, expect, it } from '@jest/globals';
import type { Answer } from './support/client.js';
import { CUSTOMER } from './support/resources.js';
import { useSharedApp } from './support/shared-app.js';
import { useSharedReplica } from './support/shared-replica.js';

const app = useSharedApp({ READ_WAIT_MS: '100' });
const patient = useSharedApp({ READ_WAIT_MS: '60000' });
const replica = useSharedReplica();
const ADA = { firstname: 'Ada', lastname: 'Lovelace' };

const next = (answer: Answer): string => /^<([^>]+)>; rel="next"$/.exec(answer.header('link'))?.[1] ?? '';

describe('a read of documents on the app with min_seq', () => {
  it('given the position of an answered write, is answered at once and includes that write', async () => {
    const created = await app.client.post('/customers', CUSTOMER.input);
    const user = await app.client.post('/nosql/users/min-seq', ADA);
    const query = `?min_seq=${user.header('x-commit')}`;
    for (const path of ['/customers', created.header('location'), '/nosql/users/min-seq']) {
      expect((await app.client.get(path + query)).status).toBe(200);
    }
  });

  it.each(['99.1', '1.999999', '99.999999999'])(
    'given the position %s, which the app has not reached, is answered 503 with Retry-After',
    async (place) => {
      const at = await app.client.add('/customers', CUSTOMER.input);
      for (const path of ['/customers', at, '/customers/999999', '/nosql/users/nobody']) {
        const refused = await app.client.get(`${path}?min_seq=${place}`);
        expect([refused.problem(503).code, refused.header('retry-after')]).toEqual(['not-ready', '1']);
      }
    },
  );

  it.each(['', '1', '1.', '.1', 'soon', '1.2.3', '-1.2', '1e1.1', '1.1&min_seq=1.2'])(
    'given %j, is refused by name',
    async (place) => {
      for (const path of ['/customers', '/customers/1', '/nosql/users/x']) {
        (await app.client.get(`${path}?min_seq=${place}`)).problem(400, 'min_seq');
      }
    },
  );

  it('given the position of a write in progress, waits for it', async () => {
    const first = await patient.client.post('/customers', CUSTOMER.input);
    const [epoch, seq] = first.header('x-commit').split('.').map(Number);
    const read = patient.client.get(`/customers?min_seq=${String(epoch)}.${String(seq! + 1)}`);
    await patient.client.post('/customers', CUSTOMER.input);
    expect((await read).header('x-total-count')).toBe('2');
  });
});

describe('the Link of a list', () => {
  it('given min_seq on customers, keeps min_seq, on the app and on a replica', async () => {
    await app.client.add('/customers', CUSTOMER.input);
    const commit = (await app.client.post('/customers', CUSTOMER.input)).header('x-commit');
    replica.primary.put(1, 'Ada');
    replica.primary.put(2, 'Grace');
    await replica.primary.ship();
    for (const [client, place] of [
      [app.client, commit],
      [replica.client, replica.primary.commit],
    ] as const) {
      const link = next(await client.get(`/customers?limit=1&min_seq=${place}`));
      expect(new URLSearchParams(link.split('?')[1]).get('min_seq')).toBe(place);
      expect((await client.get(link)).status).toBe(200);
    }
  });

  it('given a state on transactions, keeps the state', async () => {
    const book = { title: 'Kindred', author: 'Octavia E. Butler', price: 12.5, quantity: 3 };
    await app.client.post('/books-2pc', book);
    await app.client.post('/books-2pc', book);
    const link = next(await app.client.get('/transactions?state=committed&limit=1'));
    expect(new URLSearchParams(link.split('?')[1]).get('state')).toBe('committed');
    expect((await app.client.get(link)).json<{ state: string }[]>()).toEqual([
      expect.objectContaining({ state: 'committed' }),
    ]);
  });
});
