export { BookEntity } from './book.entity.js';
export { type Book, type BookInput, bookInputSchema, bookSchema } from './book.schemas.js';
export { BookService } from './book.service.js';
export { BookReads } from './book-reads.js';
export { TABLE as BOOKS_TABLE } from './book-row.js';
export { BOOK_OPERATIONS } from './adapters/http/book-operations.js';
export { serveBookReads } from './adapters/http/book-read-routes.js';
export { BooksModule } from './books.module.js';
export { BOOKS_STORE } from './books.store.js';
