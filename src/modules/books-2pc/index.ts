export { withCustomersUpdated } from './adapters/http/book-2pc-answer.js';
export { BOOKS_2PC } from './book-2pc.service.js';
export { Books2pcModule } from './books-2pc.module.js';
