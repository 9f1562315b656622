import { Body, Controller, Delete, Get, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  BODY_PIPE,
  DescribeDelete,
  DescribeList,
  DescribePost,
  DescribePut,
  DescribeRead,
  JSON_CONTENT_TYPE,
  nextPageLink,
  operationOf,
  parseId,
  parsePage,
  sendAnswer,
  sendResource,
  writeConcernOf,
} from '../../../../platform/http/index.js';
import { CustomerService } from '../../customer.service.js';
import { type CustomerInput, customerInputSchema, customerSchema } from '../../customer.schemas.js';

@ApiTags('customers')
@Controller('customers')
export class CustomersController {
  constructor(private readonly customers: CustomerService) {}

  @Get()
  @DescribeList({ summary: 'Customers in id order', item: customerSchema })
  list(@Query() query: unknown, @Res() reply: FastifyReply): void {
    const page = parsePage(query);
    const { documents, hasMore, total } = this.customers.page(page);
    const last = documents.at(-1);
    if (hasMore && last) reply.header('link', nextPageLink('/customers', page.limit, last.id));
    reply.header('x-total-count', total).header('content-type', JSON_CONTENT_TYPE).send(JSON.stringify(documents));
  }

  @Get(':id')
  @DescribeRead({ summary: 'One customer', resource: customerSchema })
  read(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    const { body, etag } = this.customers.find(parseId(id));
    sendResource(request, reply, body, etag);
  }

  @Post()
  @DescribePost({ summary: 'Add a customer', resource: customerSchema, replicated: true })
  async create(
    @Body({ schema: customerInputSchema, pipes: [BODY_PIPE] }) input: CustomerInput,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    writeConcernOf(request);
    sendAnswer(reply, await this.customers.create(input, operationOf(request)));
  }

  @Put(':id')
  @DescribePut({ summary: 'Replace a customer; orders_count stays', resource: customerSchema, replicated: true })
  async replace(
    @Param('id') id: string,
    @Body({ schema: customerInputSchema, pipes: [BODY_PIPE] }) input: CustomerInput,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    writeConcernOf(request);
    const ifMatch = request.headers['if-match'];
    sendAnswer(reply, await this.customers.replace(parseId(id), input, ifMatch, operationOf(request)));
  }

  @Delete(':id')
  @DescribeDelete({ summary: 'Remove a customer', replicated: true })
  async delete(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    writeConcernOf(request);
    sendAnswer(reply, await this.customers.delete(parseId(id), request.headers['if-match'], operationOf(request)));
  }
}
