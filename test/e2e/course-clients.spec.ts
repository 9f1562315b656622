import { describe, expect, it } from '@jest/globals';
import { AIOHTTP_POST, CourseClient, LOCUST_POST } from '../support/course-client.js';
import { useSharedApp } from './support/shared-app.js';

const app = useSharedApp();

/** What they send, in this order; `:user`, `:item` and `:order` stand for ids of earlier answers. Amounts are those of the courses. */
const REQUESTS: readonly (readonly [path: string, status: number, body: unknown])[] = [
  ['/payment/batch_init/1000/1000000', 200, { msg: expect.any(String) }],
  ['/stock/batch_init/1000/1000000/5', 200, { msg: expect.any(String) }],
  ['/orders/batch_init/1000/1000/1000/5', 200, { msg: expect.any(String) }],
  ['/payment/create_user', 201, { user_id: expect.any(String) }],
  ['/payment/add_funds/:user/1000000', 200, { user_id: expect.any(String), credit: 1_000_000 }],
  ['/payment/pay/:user/10', 200, { user_id: expect.any(String), credit: 999_990 }],
  ['/stock/item/create/5', 201, { item_id: expect.any(String) }],
  ['/stock/add/:item/1000000', 200, { stock: 1_000_000, price: 5 }],
  ['/stock/subtract/:item/10', 200, { stock: 999_990, price: 5 }],
  ['/orders/create/:user', 201, { order_id: expect.any(String) }],
  ['/orders/addItem/:order/:item/1', 200, expect.objectContaining({ paid: false, total_cost: 5 })],
  ['/orders/checkout/:order', 200, expect.objectContaining({ paid: true, total_cost: 5 })],
  ['/orders/checkout/:order', 409, expect.objectContaining({ code: 'conflict' })],
  ['/orders/checkout/7', 200, expect.objectContaining({ paid: true, total_cost: 10 })],
];

describe.each([
  ['aiohttp', 'octet-stream and no body', AIOHTTP_POST],
  ['locust', 'a length of 0 and no type', LOCUST_POST],
])('the requests of the courses over one connection as %s sends them, with %s', (_client, _how, lines) => {
  it('get JSON with whole numbers, each on the same connection', async () => {
    const client = await CourseClient.open(app.process.url);
    const ids: Record<string, string> = {};
    for (const [path, status, body] of REQUESTS) {
      const answer = await client.post(
        path.replaceAll(/:(\w+)/g, (_, name: string) => ids[name] ?? ''),
        lines,
      );

      const found = JSON.parse(answer.text) as Record<string, unknown>;
      expect([path, answer.status, found]).toEqual([path, status, body]);
      expect(answer.head).toMatch(/^content-type: application\/(?:problem\+)?json/im);
      expect(answer.head).not.toMatch(/^connection: close/im);
      for (const name of ['user', 'item', 'order']) {
        if (found[`${name}_id`] !== undefined) ids[name] = String(found[`${name}_id`]);
      }
    }
    client.close();
  });
});
