import { Controller, Get, Inject, ServiceUnavailableException } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import { HealthCheckService, type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import type { DataSource } from 'typeorm';
import { AppError, logPositionText } from '../../kernel/index.js';
import { DataFiles } from '../../platform/data-files/index.js';
import { DocumentStore } from '../../platform/documents/index.js';
import { Describe, type Live, LIVE_OPERATION, READY_OPERATION } from '../../platform/http/index.js';
import { ReplicationPrimary } from '../../protocols/replication/index.js';
import { AppCache } from './app-cache.js';
import { ReadinessGate } from './readiness-gate.js';
import type { OpenedFile } from './open.js';

export const SQL_FILES = 'SQL_FILES';
const REPLICATION = 'replication';
const FILES = 'files';

@ApiTags('about')
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly documents: DocumentStore,
    private readonly replication: ReplicationPrimary,
    private readonly gate: ReadinessGate,
    private readonly files: DataFiles,
    private readonly cache: AppCache,
    @Inject(SQL_FILES) private readonly sqlFiles: readonly Pick<OpenedFile, 'healthPart' | 'database'>[],
  ) {}

  @Get('live')
  @RouteConfig({ permission: 'open', isUncounted: true })
  @Describe(LIVE_OPERATION)
  live(): Live {
    return { status: 'ok', pid: process.pid };
  }

  @Get('ready')
  @RouteConfig({ isUncounted: true })
  @Describe(READY_OPERATION)
  async ready(): Promise<unknown> {
    try {
      const { details } = await this.health.check([
        ...this.sqlFiles.flatMap(({ healthPart, database }) => [
          () => this.sqlAnswers(`${healthPart}-write`, database.writeSource),
          () => this.sqlAnswers(`${healthPart}-read`, database.readSource),
        ]),
        () => this.documentsUp(),
        () => this.replicationUp(),
        () => this.filesSound(),
        () => this.cacheUp(),
      ]);
      return { status: 'ok', details };
    } catch (error) {
      if (!(error instanceof ServiceUnavailableException)) throw error;
      const { error: down = {} } = error.getResponse() as { error?: Record<string, unknown> };
      const fields = Object.keys(down).map((field) => ({ field, message: this.whatIsWrong(field) }));
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

  /** Up without Redis too, which no request needs. */
  private async cacheUp(): Promise<HealthIndicatorResult> {
    return this.indicators.check('cache').up({ redis: await this.cache.redis() });
  }

  private documentsUp(): HealthIndicatorResult {
    return this.indicators.check('documents').up({ position: logPositionText(this.documents.position) });
  }

  /** Down while no write is accepted, because the write might be lost, and while writes wait for a slow disk. */
  private filesSound(): HealthIndicatorResult {
    const indicator = this.indicators.check(FILES);
    this.files.look();
    return this.complaintOfFiles() === undefined ? indicator.up() : indicator.down();
  }

  private complaintOfFiles(): string | undefined {
    return this.files.problem ?? this.files.slowSynchronization;
  }

  /** Down while client writes on documents would be refused. */
  private replicationUp(): HealthIndicatorResult {
    const indicator = this.indicators.check(REPLICATION);
    const { state } = this.replication.status;
    if (this.waiting() !== undefined) return indicator.down();
    const inSync = state?.replicas.filter(({ condition }) => condition === 'in-sync').length ?? 0;
    return indicator.up({ inSync, replicas: state?.replicas.length ?? 0 });
  }

  private waiting(): string | undefined {
    return this.gate.obstacle ?? this.replication.status.waiting;
  }

  private whatIsWrong(part: string): string {
    const why = { [REPLICATION]: this.waiting(), [FILES]: this.complaintOfFiles() }[part];
    return why === undefined ? 'is down' : `is down: ${why}`;
  }
}
