import { Controller, Get, Res } from '@nestjs/common';
import { ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { DescribeView } from '../../platform/http/index.js';
import { HttpObserver } from '../../platform/observability/index.js';

@ApiTags('about')
@Controller('metrics')
export class MetricsController {
  constructor(private readonly observer: HttpObserver) {}

  @Get()
  @ApiProduces('text/plain')
  @DescribeView({ summary: 'Metrics in the text format of Prometheus', shown: z.string() })
  async read(@Res() reply: FastifyReply): Promise<void> {
    reply.header('content-type', this.observer.registry.contentType).send(await this.observer.metrics());
  }
}
