import { Body, Controller, Delete, Get, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DocumentStore } from '../../../../platform/documents/index.js';
import {
  answerReplicated,
  BODY_PIPE,
  Describe,
  parseId,
  Preconditions,
  whenCurrent,
} from '../../../../platform/http/index.js';
import { ReplicationPrimary } from '../../../../protocols/replication/index.js';
import { CustomerService } from '../../customer.service.js';
import { type CustomerInput, customerInputSchema } from '../../customer.schemas.js';
import { answerCustomer, answerCustomers, customerAnswer } from './customer-answers.js';
import { CUSTOMER_OPERATIONS } from './customer-operations.js';

@ApiTags('customers')
@Controller('customers')
export class CustomersController {
  constructor(
    private readonly customers: CustomerService,
    private readonly documents: DocumentStore,
    private readonly replication: ReplicationPrimary,
  ) {}

  @Get()
  @Describe(CUSTOMER_OPERATIONS.list)
  async list(@Query() query: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await whenCurrent(request, this.replication);
    answerCustomers(this.documents, query, reply);
  }

  @Get(':id')
  @Describe(CUSTOMER_OPERATIONS.read)
  async read(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await whenCurrent(request, this.replication);
    answerCustomer(this.documents, id, request, reply);
  }

  @Post()
  @Describe(CUSTOMER_OPERATIONS.create)
  async create(
    @Body({ schema: customerInputSchema, pipes: [BODY_PIPE] }) input: CustomerInput,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await answerReplicated(request, reply, this.replication, customerAnswer, (operation) =>
      this.customers.create(input, operation),
    );
  }

  @Put(':id')
  @Describe(CUSTOMER_OPERATIONS.replace)
  async replace(
    @Param('id') id: string,
    @Body({ schema: customerInputSchema, pipes: [BODY_PIPE] }) input: CustomerInput,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const customerId = parseId(id);
    const conditions = Preconditions.of(request);
    await answerReplicated(request, reply, this.replication, customerAnswer, (operation) =>
      this.customers.replace(customerId, input, conditions, operation),
    );
  }

  @Delete(':id')
  @Describe(CUSTOMER_OPERATIONS.delete)
  async delete(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const customerId = parseId(id);
    const conditions = Preconditions.of(request);
    await answerReplicated(request, reply, this.replication, customerAnswer, (operation) =>
      this.customers.delete(customerId, conditions, operation),
    );
  }
}
