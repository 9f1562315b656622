/** What books and customers have in common on the wire, so that one table tries both. */
export interface Resource {
  readonly name: 'book' | 'customer';
  readonly path: '/books' | '/customers';
  readonly input: Readonly<Record<string, unknown>>;
  /** Another valid body. */
  readonly changed: Readonly<Record<string, unknown>>;
  readonly fields: readonly string[];
  /** What a new resource shows beside `id` and its input. */
  readonly serverOwned: Readonly<Record<string, unknown>>;
}

const BOOK: Resource = {
  name: 'book',
  path: '/books',
  input: { title: 'Kindred', author: 'Octavia E. Butler', price: 12.5, quantity: 3 },
  changed: { title: 'Kindred', author: 'Octavia E. Butler', price: 9.99, quantity: 2 },
  fields: ['title', 'author', 'price', 'quantity'],
  serverOwned: {},
};

const CUSTOMER: Resource = {
  name: 'customer',
  path: '/customers',
  input: { name: 'Ada Lovelace', email: 'ada@example.org' },
  changed: { name: 'Ada King', email: 'ada.king@example.org' },
  fields: ['name', 'email'],
  serverOwned: { orders_count: 0 },
};

export const RESOURCES = [BOOK, CUSTOMER] as const;
export { BOOK, CUSTOMER };
