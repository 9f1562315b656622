import { Module } from '@nestjs/common';
import { GenerationCache } from '../../platform/cache/index.js';
import type { PreparedBody } from '../../platform/http/index.js';
import { SqlDatabase } from '../../platform/sql/index.js';
import { StockModule } from '../stock/index.js';
import { BooksController } from './adapters/http/books.controller.js';
import { BookReads } from './book-reads.js';
import { BookRepository } from './book.repository.js';
import { BookService } from './book.service.js';

const READS = {
  provide: BookReads,
  inject: [SqlDatabase, GenerationCache],
  useFactory: (database: SqlDatabase, cache: GenerationCache<PreparedBody>) => new BookReads(database, cache),
};

@Module({
  imports: [StockModule],
  controllers: [BooksController],
  providers: [BookRepository, BookService, READS],
  exports: [BookService, BookReads],
})
export class BooksModule {}
