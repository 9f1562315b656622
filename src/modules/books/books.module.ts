import { Module } from '@nestjs/common';
import { BooksController } from './adapters/http/books.controller.js';
import { BookRepository } from './book.repository.js';
import { BookService } from './book.service.js';

@Module({ controllers: [BooksController], providers: [BookRepository, BookService], exports: [BookService] })
export class BooksModule {}
