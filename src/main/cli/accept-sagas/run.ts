import { existsSync } from 'node:fs';
import { loadConfig } from '../../../config/index.js';
import { AppError, type Log, type ProcessControl } from '../../../kernel/index.js';
import { CHECKOUT, CheckoutRepository, OrderRepository, ORDERS, orderSteps } from '../../../modules/orders/index.js';
import { PAYMENT, PaymentRepository, paymentSteps } from '../../../modules/payment/index.js';
import { NO_CRASH_SITES } from '../../../platform/crash-sites/index.js';
import { DataFiles } from '../../../platform/data-files/index.js';
import { NodeDisk } from '../../../platform/disk/index.js';
import { monotonicMs, nextTurn, systemClock, systemRandom, systemTimers } from '../../../platform/process/index.js';
import {
  BOOKSTORE,
  SqlDatabase,
  type SqlDatabasePorts,
  type SqlFile,
  sqlFileIn,
  tablesMissingIn,
} from '../../../platform/sql/index.js';
import { endLostSagas, type SagaParticipant, SqlSagaFile } from '../../../protocols/saga/index.js';
import { acceptedLossesIn, writeDownLoss } from '../accepted-losses.js';
import type { CommandOutput } from '../command-output.js';
import { withUnused } from '../lock-unused.js';
import { reasonOf } from '../reason.js';
import { Losses, lossOf } from './messages.js';

/** Step rows without the column were not upgraded yet. */
const TABLES = ['meta', 'lives', 'saga_steps.id', 'saga_retention'];
const MAX_NAMED = 100;

/**
 * `npm run sagas:accept`: the way out when a start is refused because one of the files of the shop is an older copy than the others.
 * Checkouts that were past the point of no return stay paid, the others are taken back. Throws an AppError that names any obstacle.
 */
export async function acceptSagas(text: string): Promise<CommandOutput> {
  const { dataDirectory } = loadConfig().storage;
  const reason = reasonOf(text);
  return withUnused(dataDirectory, async () => {
    const databases: SqlDatabase[] = [];
    try {
      const open = async (file: SqlFile): Promise<SqlDatabase> => {
        const database = await openIn(dataDirectory, file);
        databases.push(database);
        return database;
      };
      const [orders, payment, stock] = [await open(ORDERS), await open(PAYMENT), await open(BOOKSTORE)];
      return await acceptIn(dataDirectory, [ordersIn(orders), paymentIn(payment), stockIn(stock)], reason);
    } finally {
      for (const database of databases) await database.close();
    }
  });
}

async function acceptIn(
  directory: string,
  participants: readonly SagaParticipant[],
  reason: string,
): Promise<CommandOutput> {
  const files = participants.map((one) => new SqlSagaFile(PORTS, CHECKOUT, one));
  const losses = new Losses();
  const named: string[] = [];
  let count = 0;
  const message = `a file of the shop was replaced by an older copy, and an operator accepted that: ${reason}`;
  const forgottenTo = await endLostSagas({
    ...{ definition: CHECKOUT, files, refusal: { code: 'conflict', message } },
    found: async (sagas) => {
      const lost = sagas.map(lossOf);
      await writeDownLoss(PORTS, directory, { lost, reason });
      for (const saga of sagas) losses.add(saga);
      named.push(...lost.slice(0, MAX_NAMED - named.length));
      count += sagas.length;
    },
  });
  if (count === 0 && forgottenTo === undefined)
    return { exitCode: 0, lines: ['Nothing to accept: the files of the shop agree on every checkout.'] };
  const more = count - named.length;
  return {
    exitCode: 0,
    lines: [
      ...named.map((line) => `${line} (${reason})`),
      ...(more > 0 ? [`and ${String(more)} more checkouts`] : []),
      losses.summary,
      ...(forgottenTo === undefined ? [] : [forgottenMessage(forgottenTo)]),
      `${acceptedLossesIn(directory)} names each of them, with the reason.`,
      'Run "npm start" to continue.',
    ],
  };
}

function forgottenMessage(saga: number): string {
  return (
    `One file is older than checkouts up to number ${String(saga)}, which the others have ended and forgotten: what it lacks of ` +
    'them is lost too, and nothing names it.'
  );
}

async function openIn(directory: string, sqlFile: SqlFile): Promise<SqlDatabase> {
  const file = sqlFileIn(directory, sqlFile);
  if (!existsSync(file) || tablesMissingIn(file, TABLES).length > 0) throw notOpened(file);
  return SqlDatabase.open(PORTS, { file, entities: [], migrations: [] });
}

function ordersIn(database: SqlDatabase): SagaParticipant {
  const rows = { orders: new OrderRepository(database), checkouts: new CheckoutRepository(database) };
  return { name: CHECKOUT.start.by, database, steps: orderSteps({ ...rows, clock: systemClock }) };
}

function paymentIn(database: SqlDatabase): SagaParticipant {
  return { name: 'payment', database, steps: paymentSteps(new PaymentRepository(database)) };
}

function stockIn(database: SqlDatabase): SagaParticipant {
  const take = (): never => {
    throw new Error('a saga that is ended takes no stock');
  };
  return { name: 'stock', database, steps: { take } };
}

/** A normal start may be all that is needed, because nothing is known to be lost. */
function notOpened(file: string): AppError {
  const message =
    `${file} is missing, or comes from an earlier version: run "npm start", which creates or upgrades it, and run this ` +
    'command again only if that start is refused; nothing was changed';
  return new AppError('not-ready', message, { retry: 'safe' });
}

const SILENT: Log = { info: () => undefined, warn: () => undefined };
/** A failing disk shows as an error here. */
const NOTHING_TO_STOP: ProcessControl = { stop: () => undefined };
const PORTS: SqlDatabasePorts = {
  ...{ disk: new NodeDisk(), clock: systemClock, monotonicMs, random: systemRandom, timers: systemTimers, nextTurn },
  ...{ crashSites: NO_CRASH_SITES, log: SILENT, process: NOTHING_TO_STOP, files: new DataFiles(SILENT) },
};
