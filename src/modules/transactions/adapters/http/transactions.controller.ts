import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  BODY_PIPE,
  DescribeAction,
  DescribeList,
  DescribeRead,
  type IdDescription,
  JSON_CONTENT_TYPE,
  nextPageLink,
  NoBody,
  PAGE_QUERIES,
  parseChoice,
  parseUuid,
  parseUuidPage,
  type QueryNames,
  sendResource,
} from '../../../../platform/http/index.js';
import type { RecoveryReport } from '../../../../protocols/two-phase-commit/index.js';
import { TransactionService } from '../../transaction.service.js';
import {
  recoveryReportSchema,
  type Resolution,
  resolutionSchema,
  type TransactionResource,
  TRANSACTION_STATES,
  transactionSchema,
} from '../../transaction.schemas.js';

export const TRANSACTION_QUERIES: QueryNames = { '/transactions': [...PAGE_QUERIES, 'state'] };

const IDS: IdDescription = {
  description: 'a UUID in lower case',
  schema: { type: 'string', format: 'uuid' },
  example: '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77',
};
const SAFE_TO_REPEAT =
  'The Idempotency-Key is not kept: a repeat waits while the first request is in progress; a later repeat runs again and ' +
  'changes no decision.';

@ApiTags('transactions')
@Controller('transactions')
export class TransactionsController {
  constructor(private readonly transactions: TransactionService) {}

  @Get()
  @DescribeList({
    id: 'listTransactions',
    summary: 'List the transactions over more than one store, oldest first',
    description:
      'Decided, running and in-doubt transactions. An ended transaction stays in the list for at least a day, unless it was ' +
      'aborted before anything was written.',
    item: transactionSchema,
    ids: IDS,
    filter: { name: 'state', description: 'only transactions in this state', values: TRANSACTION_STATES },
  })
  async list(@Query() query: unknown, @Res() reply: FastifyReply): Promise<void> {
    const { limit, after } = parseUuidPage(query);
    const state = parseChoice(query, 'state', TRANSACTION_STATES);
    const { transactions, hasMore, total } = await this.transactions.page({ limit, after, state });
    const last = transactions.at(-1);
    if (hasMore && last) reply.header('link', nextPageLink('/transactions', query, limit, last.id));
    reply.header('x-total-count', total).header('content-type', JSON_CONTENT_TYPE).send(JSON.stringify(transactions));
  }

  @Get(':id')
  @DescribeRead({
    id: 'readTransaction',
    summary: 'Read one transaction and its history',
    resource: transactionSchema,
    ids: IDS,
  })
  async read(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    sendResource(request, reply, await this.transactions.find(parseUuid(id)));
  }

  @Post('recover')
  @HttpCode(200)
  @RouteConfig({ permission: 'operator', isUnrecorded: true })
  @DescribeAction({
    id: 'recoverTransactions',
    summary: 'Decide the in-doubt transactions and complete the decided ones, now',
    description: `The app also does this at its start, and when a transaction has been in doubt for IN_DOUBT_AFTER_MS. ${SAFE_TO_REPEAT}`,
    shown: recoveryReportSchema,
    bodiless: true,
  })
  recover(@NoBody() _nothing: object): Promise<RecoveryReport> {
    return this.transactions.recover();
  }

  @Post(':id/resolve')
  @HttpCode(200)
  @RouteConfig({ permission: 'operator', isUnrecorded: true })
  @DescribeAction({
    id: 'resolveTransaction',
    summary: 'Decide one transaction that needs an operator',
    description:
      'Refused when the decision contradicts a durable one, or when the database may still decide. The decision is stored and ' +
      `logged with its reason and the name of the API key. ${SAFE_TO_REPEAT}`,
    shown: transactionSchema,
    ids: IDS,
    refusals: ['not-found', 'conflict'],
  })
  resolve(
    @Param('id') id: string,
    @Body({ schema: resolutionSchema, pipes: [BODY_PIPE] }) resolution: Resolution,
    @Req() request: FastifyRequest,
  ): Promise<TransactionResource> {
    return this.transactions.resolve(parseUuid(id), resolution, request.caller);
  }
}
