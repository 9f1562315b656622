import { Body, Controller, Delete, Get, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Answer, OperationStamp } from '../../../../kernel/index.js';
import { DocumentStore } from '../../../../platform/documents/index.js';
import {
  admittedConcern,
  BODY_PIPE,
  confirmedAnswer,
  DescribeDelete,
  DescribeList,
  DescribePost,
  DescribePut,
  DescribeRead,
  operationOf,
  parseId,
  sendAnswer,
} from '../../../../platform/http/index.js';
import { ReplicationPrimary } from '../../../../protocols/replication/index.js';
import { CustomerService } from '../../customer.service.js';
import { type CustomerInput, customerInputSchema, customerSchema } from '../../customer.schemas.js';
import { answerCustomer, answerCustomers } from './customer-answers.js';

@ApiTags('customers')
@Controller('customers')
export class CustomersController {
  constructor(
    private readonly customers: CustomerService,
    private readonly documents: DocumentStore,
    private readonly replication: ReplicationPrimary,
  ) {}

  @Get()
  @DescribeList({ summary: 'Customers in id order', item: customerSchema })
  list(@Query() query: unknown, @Res() reply: FastifyReply): void {
    answerCustomers(this.documents, query, reply);
  }

  @Get(':id')
  @DescribeRead({ summary: 'One customer', resource: customerSchema })
  read(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    answerCustomer(this.documents, id, request, reply);
  }

  @Post()
  @DescribePost({ summary: 'Add a customer', resource: customerSchema, replicated: true })
  async create(
    @Body({ schema: customerInputSchema, pipes: [BODY_PIPE] }) input: CustomerInput,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.write(request, reply, (operation) => this.customers.create(input, operation));
  }

  @Put(':id')
  @DescribePut({ summary: 'Replace a customer; orders_count stays', resource: customerSchema, replicated: true })
  async replace(
    @Param('id') id: string,
    @Body({ schema: customerInputSchema, pipes: [BODY_PIPE] }) input: CustomerInput,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const ifMatch = request.headers['if-match'];
    await this.write(request, reply, (operation) => this.customers.replace(parseId(id), input, ifMatch, operation));
  }

  @Delete(':id')
  @DescribeDelete({ summary: 'Remove a customer', replicated: true })
  async delete(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const ifMatch = request.headers['if-match'];
    await this.write(request, reply, (operation) => this.customers.delete(parseId(id), ifMatch, operation));
  }

  /** Refused before anything is written when its concern cannot be met; answered once it is. */
  private async write(
    request: FastifyRequest,
    reply: FastifyReply,
    execute: (operation: OperationStamp) => Promise<Answer>,
  ): Promise<void> {
    const concern = admittedConcern(request, this.replication);
    const operation = operationOf(request);
    sendAnswer(reply, await confirmedAnswer(await execute(operation), operation.id, concern, this.replication));
  }
}
