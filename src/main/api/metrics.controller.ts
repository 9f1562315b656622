import { Controller, Get, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Describe, METRICS_OPERATION } from '../../platform/http/index.js';
import { HttpObserver } from '../../platform/observability/index.js';

@ApiTags('about')
@Controller('metrics')
export class MetricsController {
  constructor(private readonly observer: HttpObserver) {}

  @Get()
  @Describe(METRICS_OPERATION)
  async read(@Res() reply: FastifyReply): Promise<void> {
    reply.header('content-type', this.observer.registry.contentType).send(await this.observer.metrics());
  }
}
