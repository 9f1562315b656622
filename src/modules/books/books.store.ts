import { BOOKSTORE } from '../../platform/sql/index.js';
import { PAGE_QUERIES } from '../../platform/http/index.js';
import type { SqlStore } from '../store-registration/index.js';
import { BookEntity } from './book.entity.js';
import type { BookInput } from './book.schemas.js';
import { BookRepository } from './book.repository.js';
import { BookService } from './book.service.js';
import { BooksModule } from './books.module.js';
import { CreateBooks1763700000002 } from './create-books.migration.js';
import { MoveQuantity1764800000003, SEALED_BOOKS } from './move-quantity.migration.js';
import { SealBooks1764500000011 } from './seal-books.migration.js';

const SEED: readonly BookInput[] = [
  { title: 'A Wizard of Earthsea', author: 'Ursula K. Le Guin', price: 12.5, quantity: 7 },
  { title: 'The Left Hand of Darkness', author: 'Ursula K. Le Guin', price: 14.99, quantity: 3 },
];

export const BOOKS_STORE: SqlStore = {
  kind: 'sql',
  name: 'books',
  file: BOOKSTORE,
  entities: [BookEntity],
  migrations: [CreateBooks1763700000002, SealBooks1764500000011, MoveQuantity1764800000003],
  sealed: [SEALED_BOOKS],
  queryNames: { '/books': PAGE_QUERIES },
  crashSites: [],
  seed: (services) => services.get(BookService).seed(SEED),
  passOverIds: (services, id) => {
    services.get(BookRepository).passOver(id);
  },
  recover: undefined,
  serve: () => ({ module: BooksModule, participant: undefined }),
};
