import { expect } from '@jest/globals';
import type { Answer, Client } from './client.js';

/** What the course's tests do with users, books and orders, against one app. Amounts are in the smallest unit. */
export class Shop {
  constructor(private readonly client: () => Client) {}

  post(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.client().post(path, undefined, headers);
  }

  async json<T = Record<string, unknown>>(path: string): Promise<T> {
    const answer = await this.client().get(path);
    expect([path, answer.status]).toEqual([path, 200]);
    return answer.json<T>();
  }

  async user(credit = 0): Promise<string> {
    const { user_id: id } = (await this.post('/payment/create_user')).json<{ user_id: string }>();
    if (credit > 0) expect((await this.post(`/payment/add_funds/${id}/${String(credit)}`)).status).toBe(200);
    return id;
  }

  async creditOf(userId: string): Promise<unknown> {
    return (await this.json(`/payment/find_user/${userId}`))['credit'];
  }

  /** The path of a new book. */
  book(price: number, quantity: number): Promise<string> {
    return this.client().add('/books', { title: 'Emma', author: 'Jane Austen', price: price / 100, quantity });
  }

  async quantityOf(book: string): Promise<unknown> {
    return (await this.json(book))['quantity'];
  }

  /** The id of a new order with these lines. */
  async order(userId: string, lines: readonly (readonly [itemId: string, quantity: number])[] = []): Promise<string> {
    const { order_id: id } = (await this.post(`/orders/create/${userId}`)).json<{ order_id: string }>();
    for (const [itemId, quantity] of lines) {
      expect((await this.post(`/orders/addItem/${id}/${itemId}/${String(quantity)}`)).status).toBe(200);
    }
    return id;
  }

  find(orderId: string): Promise<Record<string, unknown>> {
    return this.json(`/orders/find/${orderId}`);
  }

  checkOut(orderId: string, key?: string): Promise<Answer> {
    return this.post(`/orders/checkout/${orderId}`, key === undefined ? {} : { 'idempotency-key': key });
  }
}

export function itemOf(book: string): string {
  return book.replace('/books/', 'book-');
}
