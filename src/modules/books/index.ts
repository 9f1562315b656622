export { BookEntity } from './book.entity.js';
export { type Book, type BookInput, bookInputSchema, bookSchema } from './book.schemas.js';
export { BookService } from './book.service.js';
export { BooksController } from './adapters/http/books.controller.js';
export { BooksModule } from './books.module.js';
export { BOOKS_STORE } from './books.store.js';
