import type { BookInput } from '../../modules/books/index.js';
import type { CustomerInput } from '../../modules/customers/index.js';

export const SEED_BOOKS: readonly BookInput[] = [
  { title: 'A Wizard of Earthsea', author: 'Ursula K. Le Guin', price: 12.5, quantity: 7 },
  { title: 'The Left Hand of Darkness', author: 'Ursula K. Le Guin', price: 14.99, quantity: 3 },
];

export const SEED_CUSTOMERS: readonly CustomerInput[] = [
  { name: 'Ada Lovelace', email: 'ada@example.org' },
  { name: 'Grace Hopper', email: 'grace@example.org' },
];
