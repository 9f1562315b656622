import { Controller, Get, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { HttpObserver } from '../../platform/observability/index.js';

@ApiTags('about')
@Controller('metrics')
export class MetricsController {
  constructor(private readonly observer: HttpObserver) {}

  @Get()
  @ApiOperation({ summary: 'Prometheus metrics' })
  @ApiProduces('text/plain')
  @ApiResponse({ status: 200, description: 'the text format of Prometheus' })
  async read(@Res() reply: FastifyReply): Promise<void> {
    const { registry } = this.observer;
    reply.header('content-type', registry.contentType).send(await registry.metrics());
  }
}
