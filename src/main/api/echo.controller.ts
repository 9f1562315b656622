import { Controller, Get } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import { Describe, type Echo, ECHO_OPERATION } from '../../platform/http/index.js';
import { SqlDatabase } from '../../platform/sql/index.js';
import { ReadinessGate } from './readiness-gate.js';

/** What the active app says of itself. Its epoch is the one of its SQL database. */
export function appEcho(
  { epoch }: Pick<SqlDatabase, 'epoch'>,
  gate: Pick<ReadinessGate, 'obstacle'>,
): Omit<Echo, 'pid'> {
  return { role: 'active', state: gate.obstacle === undefined ? 'open' : 'opening', epoch };
}

/** Describes the route that Fastify answers without Nest. */
@ApiTags('about')
@Controller('health')
export class EchoController {
  constructor(
    private readonly database: SqlDatabase,
    private readonly gate: ReadinessGate,
  ) {}

  @Get('echo')
  @RouteConfig({ permission: 'open', isUncounted: true })
  @Describe(ECHO_OPERATION)
  echo(): Echo {
    return { pid: process.pid, ...appEcho(this.database, this.gate) };
  }
}
