import { Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  DescribeAction,
  DescribeList,
  DescribeRead,
  type IdDescription,
  JSON_CONTENT_TYPE,
  nextPageLink,
  NoBody,
  parseChoice,
  parseUuid,
  parseUuidPage,
  sendResource,
} from '../../../../platform/http/index.js';
import {
  type DrainReport,
  drainReportSchema,
  SAGA_STATES,
  type SagaResource,
  sagaSchema,
} from '../../sagas/saga.schemas.js';
import { SagaService } from '../../sagas/saga.service.js';

const IDS: IdDescription = {
  description: 'a UUID in lower case',
  schema: { type: 'string', format: 'uuid' },
  example: '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77',
};
const SAFE_TO_REPEAT = 'The Idempotency-Key is not kept: a repeat tries again, and no step is done twice.';

@ApiTags('sagas')
@Controller('sagas')
export class SagasController {
  constructor(private readonly sagas: SagaService) {}

  @Get()
  @DescribeList({
    id: 'listSagas',
    summary: 'List the sagas (checkouts), oldest first',
    description:
      'An ended saga stays in the list for 24 h when its request had an Idempotency-Key, otherwise for 10 min, and then only ' +
      'among the last 100000.',
    item: sagaSchema,
    ids: IDS,
    filter: { name: 'state', description: 'only sagas in this state', values: SAGA_STATES },
  })
  async list(@Query() query: unknown, @Res() reply: FastifyReply): Promise<void> {
    const { limit, after } = parseUuidPage(query);
    const { sagas, hasMore, total } = await this.sagas.page({
      limit,
      after,
      state: parseChoice(query, 'state', SAGA_STATES),
    });
    const last = sagas.at(-1);
    if (hasMore && last) reply.header('link', nextPageLink('/sagas', query, limit, last.id));
    reply.header('x-total-count', total).header('content-type', JSON_CONTENT_TYPE).send(JSON.stringify(sagas));
  }

  @Get(':id')
  @DescribeRead({ id: 'readSaga', summary: 'Read one saga and its steps', resource: sagaSchema, ids: IDS })
  read(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    sendResource(request, reply, this.sagas.find(parseUuid(id)));
  }

  @Post('recover')
  @HttpCode(200)
  @RouteConfig({ permission: 'operator', isUnrecorded: true })
  @DescribeAction({
    id: 'recoverSagas',
    summary: 'Drain the outboxes now: try each event that is not delivered, parked ones too',
    description: `The app also does this at its start and every five minutes. ${SAFE_TO_REPEAT}`,
    shown: drainReportSchema,
    bodiless: true,
  })
  recover(@NoBody() _nothing: object): Promise<DrainReport> {
    return this.sagas.recover();
  }

  @Post(':id/resume')
  @HttpCode(200)
  @RouteConfig({ permission: 'operator', isUnrecorded: true })
  @DescribeAction({
    id: 'resumeSaga',
    summary: 'Try the event of one saga now',
    description: SAFE_TO_REPEAT,
    shown: sagaSchema,
    ids: IDS,
    bodiless: true,
    refusals: ['not-found', 'conflict'],
    details: { conflict: 'saga 019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77 has ended: completed' },
  })
  resume(@Param('id') id: string, @NoBody() _nothing: object): Promise<SagaResource> {
    return this.sagas.resume(parseUuid(id));
  }
}
