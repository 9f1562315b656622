import { Body, Controller, Delete, Get, Param, Post, Put, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { MaybePromise } from '../../../../kernel/index.js';
import { BODY_PIPE, Describe, parseId, Preconditions, recording, sendAnswer } from '../../../../platform/http/index.js';
import { BookReads } from '../../book-reads.js';
import { BookService } from '../../book.service.js';
import { type BookInput, bookInputSchema } from '../../book.schemas.js';
import { bookAnswer } from './book-answers.js';
import { BOOK_OPERATIONS } from './book-operations.js';
import { answerBook, answerBooks } from './book-read-routes.js';

@ApiTags('books')
@Controller('books')
export class BooksController {
  constructor(
    private readonly books: BookService,
    private readonly reads: BookReads,
  ) {}

  @Get()
  @Describe(BOOK_OPERATIONS.list)
  list(@Req() request: FastifyRequest, @Res() reply: FastifyReply): MaybePromise<void> {
    return answerBooks(this.reads, request, reply);
  }

  @Get(':id')
  @Describe(BOOK_OPERATIONS.read)
  read(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): MaybePromise<void> {
    return answerBook(this.reads, id, request, reply);
  }

  @Post()
  @Describe(BOOK_OPERATIONS.create)
  async create(
    @Body({ schema: bookInputSchema, pipes: [BODY_PIPE] }) input: BookInput,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    sendAnswer(reply, await this.books.create(input, recording(request, bookAnswer)));
  }

  @Put(':id')
  @Describe(BOOK_OPERATIONS.replace)
  async replace(
    @Param('id') id: string,
    @Body({ schema: bookInputSchema, pipes: [BODY_PIPE] }) input: BookInput,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const conditions = Preconditions.of(request);
    sendAnswer(reply, await this.books.replace(parseId(id), input, conditions, recording(request, bookAnswer)));
  }

  @Delete(':id')
  @Describe(BOOK_OPERATIONS.delete)
  async delete(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const conditions = Preconditions.of(request);
    sendAnswer(reply, await this.books.delete(parseId(id), conditions, recording(request, bookAnswer)));
  }
}
