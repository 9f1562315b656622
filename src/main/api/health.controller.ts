import { Controller, Get, ServiceUnavailableException } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import { HealthCheckService, type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { AppError } from '../../kernel/index.js';
import { DocumentStore } from '../../platform/documents/index.js';
import { DescribeView } from '../../platform/http/index.js';

const liveSchema = z
  .object({ status: z.literal('ok'), pid: z.int().min(1).meta({ example: 4711 }) })
  .meta({ id: 'Live' });

const readySchema = z
  .object({
    status: z.literal('ok'),
    details: z
      .record(z.string(), z.looseObject({ status: z.literal('up') }))
      .meta({ example: { 'sql-write': { status: 'up' }, documents: { status: 'up', position: '1.42' } } }),
  })
  .meta({ id: 'Ready' });

@ApiTags('about')
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly documents: DocumentStore,
    @InjectDataSource('write') private readonly writeSource: DataSource,
    @InjectDataSource('read') private readonly readSource: DataSource,
  ) {}

  @Get('live')
  @RouteConfig({ role: 'open' })
  @DescribeView({ summary: 'Whether the process answers; open to everyone', shown: liveSchema, open: true })
  live(): z.infer<typeof liveSchema> {
    return { status: 'ok', pid: process.pid };
  }

  @Get('ready')
  @DescribeView({
    summary: 'Whether every part that answers need is there',
    description: 'In a refusal `errors` names the parts that are not.',
    shown: readySchema,
    refusals: [503],
  })
  async ready(): Promise<unknown> {
    try {
      const { details } = await this.health.check([
        () => this.sqlAnswers('sql-write', this.writeSource),
        () => this.sqlAnswers('sql-read', this.readSource),
        () => this.documentsUp(),
      ]);
      return { status: 'ok', details };
    } catch (error) {
      if (!(error instanceof ServiceUnavailableException)) throw error;
      const { error: down = {} } = error.getResponse() as { error?: Record<string, unknown> };
      const fields = Object.keys(down).map((field) => ({ field, message: 'is down' }));
      throw new AppError('not-ready', fields.map(({ field, message }) => `${field} ${message}`).join('; '), {
        retry: 'safe',
        fields,
        cause: error,
      });
    }
  }

  private async sqlAnswers(name: string, source: DataSource): Promise<HealthIndicatorResult> {
    const indicator = this.indicators.check(name);
    try {
      await source.query('SELECT 1');
      return indicator.up();
    } catch (error) {
      return indicator.down({ message: String(error) });
    }
  }

  private documentsUp(): HealthIndicatorResult {
    const { epoch, seq } = this.documents.position;
    return this.indicators.check('documents').up({ position: `${String(epoch)}.${String(seq)}` });
  }
}
