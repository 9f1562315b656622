import {
  createOperation,
  listOperation,
  readOperation,
  removeOperation,
  replaceOperation,
} from '../../../../platform/http/index.js';
import { bookInputSchema, bookSchema } from '../../book.schemas.js';

const WRITE = { resource: bookSchema, body: bookInputSchema };

export const BOOK_OPERATIONS = {
  list: listOperation({ id: 'listBooks', summary: 'List the books in id order', item: bookSchema, cached: true }),
  read: readOperation({ id: 'readBook', summary: 'Read one book', resource: bookSchema, cached: true }),
  create: createOperation({ id: 'createBook', summary: 'Add a book', ...WRITE }),
  replace: replaceOperation({ id: 'replaceBook', summary: 'Replace a book', ...WRITE }),
  delete: removeOperation({ id: 'deleteBook', summary: 'Remove a book' }),
};
