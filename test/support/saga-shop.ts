import { NO_CRASH_SITES } from '../../src/platform/crash-sites/index.js';
import { DataFiles } from '../../src/platform/data-files/index.js';
import { NodeDisk } from '../../src/platform/disk/index.js';
import { monotonicMs, systemClock, systemTimers } from '../../src/platform/process/index.js';
import {
  PLATFORM_MIGRATIONS,
  SqlDatabase,
  type SqlDatabasePorts,
  sqlFileIn,
  sqlMigration,
} from '../../src/platform/sql/index.js';
import {
  defineSaga,
  type SagaDefinition,
  SAGA_MIGRATIONS,
  SagaRelay,
  type SagaRelayPorts,
  SqlSagaFile,
  type StepWork,
} from '../../src/protocols/saga/index.js';
import { PROMPT_TIMERS } from './prompt-timers.js';
import { RecordingLog } from './recording-log.js';
import { RecordingProcessControl } from './recording-process-control.js';
import { SeededRandom } from './seeded-random.js';
import { SHOP_SAGA } from './shop-saga.js';

const NAMES = ['orders', 'payment', 'stock'] as const;
type Name = (typeof NAMES)[number];

/** One for all: no two incarnations have the same name. */
const RANDOM = new SeededRandom(1);

/** Counts of one participant: what each step changes, and how often it ran. */
const CreateCounts1764800000002 = sqlMigration('CreateCounts1764800000002', {
  up: ['CREATE TABLE counts (name TEXT PRIMARY KEY, value INTEGER NOT NULL CHECK (value >= 0)) STRICT'],
  down: ['DROP TABLE counts'],
});

export interface SagaShopPorts {
  readonly database?: Partial<SqlDatabasePorts>;
  readonly relay?: Partial<SagaRelayPorts>;
  readonly definition?: SagaDefinition;
  /** Stands before the step's own work, and may answer or throw in its place. */
  readonly before?: (step: string, number: number) => ReturnType<StepWork> | undefined;
  /** Between a file and the relay. */
  readonly wrap?: (file: SqlSagaFile) => SqlSagaFile;
}

/** One incarnation of a shop on three real SQL files: 3 of credit and 2 in stock; an order costs 1 and takes 1. */
export class SagaShop {
  readonly log = new RecordingLog();
  readonly relay: SagaRelay;
  private nextNumber: number;

  private constructor(
    readonly databases: Readonly<Record<Name, SqlDatabase>>,
    readonly files: Readonly<Record<Name, SqlSagaFile>>,
    { relay = {}, definition = defineSaga(SHOP_SAGA), wrap = (file) => file }: SagaShopPorts,
  ) {
    const ports = {
      ...{ timers: PROMPT_TIMERS, clock: systemClock, random: new SeededRandom(1), crashSites: NO_CRASH_SITES },
      ...{ log: this.log, deliveryDelayMs: 0 },
    };
    this.relay = new SagaRelay({ ...ports, ...relay }, definition, Object.values(files).map(wrap));
    this.nextNumber = files.orders.highestNumber + 1;
  }

  static async open(directory: string, ports: SagaShopPorts = {}): Promise<SagaShop> {
    const { definition = defineSaga(SHOP_SAGA), before = () => undefined } = ports;
    const databases = Object.fromEntries(
      await Promise.all(NAMES.map(async (name) => [name, await openIn(directory, name, ports.database)] as const)),
    ) as Record<Name, SqlDatabase>;
    const file = (name: Name): SqlSagaFile => {
      const steps = Object.fromEntries(
        Object.entries(worksOf(name, databases[name])).map(([step, work]): [string, StepWork] => [
          step,
          (scope, saga, data) => before(step, saga.number) ?? work(scope, saga, data),
        ]),
      );
      const owner = { name, database: databases[name], steps };
      return new SqlSagaFile({ clock: systemClock, crashSites: NO_CRASH_SITES }, definition, owner);
    };
    const files = { orders: file('orders'), payment: file('payment'), stock: file('stock') };
    const shop = new SagaShop(databases, files, { ...ports, definition });
    if (Object.keys(shop.counts()).length === 0) await shop.fill({ credit: 3, stock: 2 });
    return shop;
  }

  /** Sets the counts anew. */
  async fill({ credit, stock }: { readonly credit: number; readonly stock: number }): Promise<void> {
    const counts = { orders: [], payment: [['credit', credit]], stock: [['stock', stock]] };
    for (const name of NAMES) {
      const { writer, writeHandle } = this.databases[name];
      await writer.run(() => {
        writeHandle.prepare('DELETE FROM counts').run();
        for (const one of counts[name]) writeHandle.prepare('INSERT INTO counts VALUES (?, ?)').run(...one);
      });
    }
  }

  /** Begins a saga and returns its number. */
  async begin(data: Readonly<Record<string, unknown>> = {}): Promise<number> {
    const number = this.nextNumber;
    this.nextNumber += 1;
    const record = await this.databases.orders.writer.run(() =>
      this.files.orders.begin({ number, id: `saga-${String(number)}` }, data),
    );
    this.relay.begun(record);
    return number;
  }

  /** The counts of all files: what was moved, and by `<step> ran` how often each step did. */
  counts(): Readonly<Record<string, number>> {
    const rows = NAMES.flatMap((name) =>
      this.databases[name].reader.handle.prepare<[], [string, number]>('SELECT name, value FROM counts').raw().all(),
    );
    return Object.fromEntries(rows.sort(([left], [right]) => (left < right ? -1 : 1)));
  }

  async close(): Promise<void> {
    await this.relay.stop();
    await this.letGo();
  }

  /** As a death does: what is only noted is lost. */
  async die(): Promise<void> {
    await this.relay.stop();
    for (const name of NAMES) {
      // Notes are deferred work, and a death comes before it.
      Object.assign(this.databases[name].writer, { deferred: [] });
    }
    await this.letGo();
  }

  private async letGo(): Promise<void> {
    await Promise.all(NAMES.map((name) => this.databases[name].close()));
  }
}

function worksOf(name: Name, { writeHandle }: SqlDatabase): Readonly<Record<string, StepWork>> {
  const change = writeHandle.prepare(
    'INSERT INTO counts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value',
  );
  const read = writeHandle.prepare<[string], number>('SELECT value FROM counts WHERE name = ?').pluck();
  const add = (count: string, value: number): void => {
    change.run(count, value);
  };
  const move = (from: string, to: string): boolean => {
    if ((read.get(from) ?? 0) === 0) return false;
    writeHandle.prepare('UPDATE counts SET value = value - 1 WHERE name = ?').run(from);
    add(to, 1);
    return true;
  };
  const does = (
    step: string,
    event: string,
    work: () => boolean = () => true,
    refused?: string,
  ): [string, StepWork] => [
    step,
    (_scope, _saga, data) => {
      if (work()) {
        add(`${step} ran`, 1);
        return { event, data };
      }
      if (refused === undefined) throw new Error(`${step} has nothing to do`);
      return { event: refused, data: { ...data, reason: `too little for ${step}` } };
    },
  ];
  const works: Readonly<Record<Name, readonly [string, StepWork][]>> = {
    orders: [does('mark-paid', 'order-paid'), does('unlock', 'order-unlocked')],
    payment: [
      does('authorise', 'credit-authorised', () => move('credit', 'held'), 'credit-refused'),
      does('capture', 'credit-captured', () => move('held', 'charged')),
      does('void', 'credit-voided', () => move('held', 'credit')),
    ],
    stock: [does('take', 'stock-taken', () => move('stock', 'sold'), 'stock-refused')],
  };
  return Object.fromEntries(works[name]);
}

async function openIn(directory: string, name: Name, ports: Partial<SqlDatabasePorts> = {}): Promise<SqlDatabase> {
  const defaults = {
    ...{ nextTurn: setImmediate, timers: systemTimers, crashSites: NO_CRASH_SITES, random: RANDOM },
    ...{ process: new RecordingProcessControl(), clock: systemClock, disk: new NodeDisk(), log: new RecordingLog() },
    ...{ files: new DataFiles(new RecordingLog()), monotonicMs },
  };
  const database = await SqlDatabase.open(
    { ...defaults, ...ports },
    {
      file: sqlFileIn(directory, { name }),
      entities: [],
      migrations: [...PLATFORM_MIGRATIONS, ...SAGA_MIGRATIONS, CreateCounts1764800000002],
    },
  );
  return database;
}
