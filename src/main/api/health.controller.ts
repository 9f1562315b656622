import { Controller, Get, ServiceUnavailableException } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import {
  HealthCheckService,
  type HealthIndicatorFunction,
  type HealthIndicatorResult,
  TypeOrmHealthIndicator,
} from '@nestjs/terminus';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AppError } from '../../kernel/index.js';
import { DocumentStore } from '../../platform/documents/index.js';

@ApiTags('about')
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly typeOrm: TypeOrmHealthIndicator,
    private readonly documents: DocumentStore,
    @InjectDataSource('write') private readonly writeSource: DataSource,
    @InjectDataSource('read') private readonly readSource: DataSource,
  ) {}

  @Get('live')
  @RouteConfig({ role: 'open' })
  @ApiOperation({ summary: 'Whether the process answers; open to everyone' })
  @ApiResponse({ status: 200, description: 'it does' })
  live(): unknown {
    return { status: 'ok', pid: process.pid };
  }

  @Get('ready')
  @ApiOperation({ summary: 'Whether every part that answers need is there' })
  @ApiResponse({ status: 200, description: 'all parts are up' })
  @ApiResponse({
    status: 503,
    description: '`errors` names the part that is not',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  })
  async ready(): Promise<unknown> {
    const checks: HealthIndicatorFunction[] = [
      () => this.typeOrm.pingCheck('sql-write', { connection: this.writeSource }),
      () => this.typeOrm.pingCheck('sql-read', { connection: this.readSource }),
      () => this.documentsUp(),
    ];
    try {
      return await this.health.check(checks);
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

  private documentsUp(): HealthIndicatorResult {
    const { epoch, seq } = this.documents.position;
    return { documents: { status: 'up', position: `${String(epoch)}.${String(seq)}` } };
  }
}
