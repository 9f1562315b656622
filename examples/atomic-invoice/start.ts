import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import type { DataSource } from 'typeorm';
import { v7 as uuidV7 } from 'uuid';
import type { CrashSites, Log } from '../../src/kernel/index.js';
import { createHttpServer, OPEN_TO_THIS_MACHINE, ProblemFilter, useJsonBodies } from '../../src/platform/http/index.js';
import type { RunningServer } from '../../src/platform/nodes/index.js';
import { logPort, NestLogger } from '../../src/platform/observability/index.js';
import { DataDirectoryLock, systemClock, systemTimers } from '../../src/platform/process/index.js';
import { refusalToOpen } from '../../src/platform/sql/index.js';
import {
  TransactionCoordinator,
  TypeOrmLastResource,
  type TypeOrmWork,
} from '../../src/protocols/two-phase-commit/index.js';
import { openInvoiceDatabase } from './invoice.database.js';
import { InvoiceService } from './invoice.service.js';
import { InvoicesModule } from './invoices.module.js';
import { LedgerParticipant } from './ledger.participant.js';

const DEADLINES = { prepareDeadlineMs: 1_000, answerDeadlineMs: 2_000, inDoubtAfterMs: 5_000 };
const CLOSE_WITHIN_MS = 10_000;

export interface Settings {
  readonly directory: string;
  readonly port: number;
  readonly crashSites: CrashSites;
}

interface Database {
  readonly deciding: DataSource;
  readonly reading: DataSource;
  readonly lastResource: TypeOrmLastResource;
}

/** Opens both stores, decides what an earlier incarnation left between them, and only then listens. */
export async function start({ directory, port, crashSites }: Settings, logger: Logger): Promise<RunningServer> {
  const lock = DataDirectoryLock.acquire(directory);
  const log = logPort(logger);
  const { deciding, reading, lastResource } = await openDatabase(join(directory, 'invoices.db'), log);
  const ledger = await LedgerParticipant.open(join(directory, 'ledger.jsonl'));

  const coordinator = new TransactionCoordinator<TypeOrmWork>(
    {
      ...{ participants: [ledger], lastResource, log, crashSites },
      ...{ timers: systemTimers, clock: systemClock, newId: () => uuidV7() },
    },
    DEADLINES,
  );
  try {
    await coordinator.recoverAtStart();
  } catch (error) {
    // A refused start leaves no log of SQLite's behind, which would be played into a copy that is put in its place.
    await Promise.all([deciding.destroy(), reading.destroy()]);
    throw error;
  }
  const stopRecovering = coordinator.keepRecovering();

  const app = await nestApp(new InvoiceService(coordinator, ledger, reading), logger);
  await app.listen(port, '127.0.0.1');
  return {
    url: await app.getUrl(),
    close: async () => {
      await app.close();
      stopRecovering();
      await coordinator.drained(CLOSE_WITHIN_MS);
      await lastResource.close();
      await Promise.all([deciding.destroy(), reading.destroy(), ledger.close()]);
      lock.release();
    },
  };
}

/** Rejects naming the file, where another program holds it or it cannot be written. */
async function openDatabase(file: string, log: Log): Promise<Database> {
  try {
    const { deciding, reading } = await openInvoiceDatabase(file);
    return { deciding, reading, lastResource: await TypeOrmLastResource.open(deciding, { log }) };
  } catch (error) {
    throw refusalToOpen(error, file);
  }
}

async function nestApp(invoices: InvoiceService, logger: Logger): Promise<NestFastifyApplication> {
  const server = createHttpServer({
    ...OPEN_TO_THIS_MACHINE,
    headersTimeoutMs: 10_000,
    requestTimeoutMs: 30_000,
    newRequestId: () => uuidV7(),
    logger,
  });
  useJsonBodies(server);
  const app = await NestFactory.create<NestFastifyApplication>(
    InvoicesModule.of(invoices),
    new FastifyAdapter(server),
    { logger: new NestLogger(logger), bodyParser: false, abortOnError: false },
  );
  app.useGlobalFilters(new ProblemFilter(logger));
  return app;
}
