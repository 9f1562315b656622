import { Body, Controller, Post, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { admittedConcern, BODY_PIPE, DescribePost, recording } from '../../../../platform/http/index.js';
import { ReplicationPrimary } from '../../../../protocols/replication/index.js';
import { type BookInput, bookInputSchema } from '../../../books/index.js';
import { answerTransaction } from '../../../transactions/index.js';
import { book2pcSchema } from '../../book-2pc.schemas.js';
import { Book2pcService } from '../../book-2pc.service.js';
import { book2pcAnswer, withCustomersUpdated } from './book-2pc-answer.js';

@ApiTags('books-2pc')
@Controller('books-2pc')
export class Books2pcController {
  constructor(
    private readonly books: Book2pcService,
    private readonly replication: ReplicationPrimary,
  ) {}

  @Post()
  @DescribePost({
    id: 'createBookAndOrders',
    summary: 'Create a book and add one order to every customer: both or neither',
    description:
      'A two-phase commit over SQL and the replicated documents, at a cost that does not grow with the number of customers. ' +
      'X-Write-Concern applies to the prepare record of the documents, before anything is committed; ' +
      'X-Replicas-Acked counts the replicas that hold it. X-Commit is the log position of the change, for `min_seq` on a ' +
      'replica. Location is the path of the book; with 202, it is the path of the operation.',
    resource: book2pcSchema,
    replicated: true,
    hasEtag: false,
    refusals: ['storage-busy', 'storage-read-only'],
  })
  async create(
    @Body({ schema: bookInputSchema, pipes: [BODY_PIPE] }) input: BookInput,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const concern = admittedConcern(request, this.replication);
    const outcome = await this.books.create(input, recording(request, book2pcAnswer), concern);
    await answerTransaction({ request, reply, confirmer: this.replication }, outcome, withCustomersUpdated);
  }
}
