import { Module } from '@nestjs/common';
import { BooksModule } from '../books/index.js';
import { Books2pcController } from './adapters/http/books-2pc.controller.js';
import { Book2pcService } from './book-2pc.service.js';

@Module({ imports: [BooksModule], controllers: [Books2pcController], providers: [Book2pcService] })
export class Books2pcModule {}
