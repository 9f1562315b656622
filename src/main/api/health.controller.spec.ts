import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { HealthCheckService, HealthIndicatorService, TerminusModule } from '@nestjs/terminus';
import type { DataSource } from 'typeorm';
import { RecordingLog } from '../../../test/support/recording-log.js';
import { DataFiles } from '../../platform/data-files/index.js';
import type { DocumentStore } from '../../platform/documents/index.js';
import type { SqlDatabase } from '../../platform/sql/index.js';
import type { ReplicationPrimary } from '../../protocols/replication/index.js';
import type { AppCache } from './app-cache.js';
import { HealthController } from './health.controller.js';
import type { ReadinessGate } from './readiness-gate.js';

const REPLICATED = { status: { waiting: undefined, state: { replicas: [{ condition: 'in-sync' }] } } };
const WAITING = { status: { waiting: '1 of 3 answered', state: undefined } };
const SOUND = new DataFiles(new RecordingLog());
const DOCUMENTS = { position: { epoch: 3, seq: 7, hash: '' } } as DocumentStore;

function source(query: () => Promise<unknown>): DataSource {
  return { query } as unknown as DataSource;
}

const UP = source(() => Promise.resolve([{ 1: 1 }]));
const DOWN = source(() => Promise.reject(new Error('disk I/O error')));

describe('readiness', () => {
  let context: INestApplicationContext;
  const controller = (
    write: DataSource,
    read: DataSource,
    replication: unknown = REPLICATED,
    files = SOUND,
  ): HealthController =>
    new HealthController(
      context.get(HealthCheckService),
      context.get(HealthIndicatorService),
      DOCUMENTS,
      replication as ReplicationPrimary,
      { obstacle: undefined } as ReadinessGate,
      files,
      { redis: () => Promise.resolve('unavailable') } as AppCache,
      [{ healthPart: 'sql', database: { writeSource: write, readSource: read } as SqlDatabase }],
    );

  beforeAll(async () => {
    context = await NestFactory.createApplicationContext(TerminusModule.forRoot({ logger: false }), { logger: false });
  });
  afterAll(async () => {
    await context.close();
  });

  it('given every part up but Redis, which is optional, is ready and reports each of them', async () => {
    expect(await controller(UP, UP).ready()).toEqual({
      status: 'ok',
      details: {
        'sql-write': { status: 'up' },
        'sql-read': { status: 'up' },
        documents: { status: 'up', position: '3.7' },
        replication: { status: 'up', inSync: 1, replicas: 1 },
        files: { status: 'up' },
        cache: { status: 'up', redis: 'unavailable' },
      },
    });
  });

  it('given damage, refuses and names the file', async () => {
    const files = new DataFiles(new RecordingLog());
    files.damaged('/data/bookstore.db', 'row 5 of books');

    await expect(controller(UP, UP, REPLICATED, files).ready()).rejects.toMatchObject({
      code: 'not-ready',
      fields: [{ field: 'files', message: expect.stringContaining('is down: /data/bookstore.db is damaged (row 5') }],
    });
  });

  it('given an fsync that does not return, refuses and names the file', async () => {
    const files = new DataFiles(new RecordingLog());
    Object.defineProperty(files, 'slowSynchronization', { value: 'the fsync of /data/journal-1.log has not returned' });

    await expect(controller(UP, UP, REPLICATED, files).ready()).rejects.toMatchObject({
      code: 'not-ready',
      fields: [{ field: 'files', message: 'is down: the fsync of /data/journal-1.log has not returned' }],
    });
  });

  it('given missing replicas, refuses and names replication and the cause', async () => {
    await expect(controller(UP, UP, WAITING).ready()).rejects.toMatchObject({
      code: 'not-ready',
      fields: [{ field: 'replication', message: 'is down: 1 of 3 answered' }],
    });
  });

  it.each([
    ['the reading side', UP, DOWN, ['sql-read']],
    ['the writing side', DOWN, UP, ['sql-write']],
    ['both sides', DOWN, DOWN, ['sql-write', 'sql-read']],
  ])('given %s down, refuses and names it', async (_title, write, read, names) => {
    await expect(controller(write, read).ready()).rejects.toMatchObject({
      code: 'not-ready',
      retry: 'safe',
      fields: names.map((field) => ({ field, message: 'is down' })),
    });
  });
});
