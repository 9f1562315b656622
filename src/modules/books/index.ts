export { BookEntity } from './book.entity.js';
export { type Book, type BookInput, bookInputSchema, bookSchema } from './book.schemas.js';
export { BookService } from './book.service.js';
export { BooksController } from './adapters/http/books.controller.js';
export { BooksModule } from './books.module.js';
export { CreateBooks1763700000002 } from './create-books.migration.js';
export { SealBooks1764500000011, SEALED_BOOKS } from './seal-books.migration.js';
