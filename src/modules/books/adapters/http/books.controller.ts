import { Body, Controller, Delete, Get, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { MaybePromise } from '../../../../platform/cache/index.js';
import {
  BODY_PIPE,
  DescribeDelete,
  DescribeList,
  DescribePost,
  DescribePut,
  DescribeRead,
  parseId,
  parsePage,
  Preconditions,
  recording,
  sendAnswer,
  sendPrepared,
} from '../../../../platform/http/index.js';
import { BookService } from '../../book.service.js';
import { type BookInput, bookInputSchema, bookSchema } from '../../book.schemas.js';
import { bookAnswer, preparedBook, preparedPage } from './book-answers.js';

@ApiTags('books')
@Controller('books')
export class BooksController {
  constructor(private readonly books: BookService) {}

  @Get()
  @DescribeList({ id: 'listBooks', summary: 'Books in id order', item: bookSchema, cached: true })
  list(@Query() query: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): MaybePromise<void> {
    return sendPrepared(request, reply, this.books.page(parsePage(query), preparedPage));
  }

  @Get(':id')
  @DescribeRead({ id: 'readBook', summary: 'One book', resource: bookSchema, cached: true })
  read(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): MaybePromise<void> {
    return sendPrepared(request, reply, this.books.find(parseId(id), preparedBook));
  }

  @Post()
  @DescribePost({ id: 'createBook', summary: 'Add a book', resource: bookSchema })
  async create(
    @Body({ schema: bookInputSchema, pipes: [BODY_PIPE] }) input: BookInput,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    sendAnswer(reply, await this.books.create(input, recording(request, bookAnswer)));
  }

  @Put(':id')
  @DescribePut({ id: 'replaceBook', summary: 'Replace a book', resource: bookSchema })
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
  @DescribeDelete({ id: 'deleteBook', summary: 'Remove a book' })
  async delete(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const conditions = Preconditions.of(request);
    sendAnswer(reply, await this.books.delete(parseId(id), conditions, recording(request, bookAnswer)));
  }
}
