import { closeSync, fdatasyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Pool } from 'undici';
import { Cluster, startReplica } from '../cluster.js';
import { expect } from '../expect.js';
import { type Bench, type Figure, interleave, type Round } from '../figure.js';
import { addCustomers, copyDirectory, LargeStore } from '../large-store.js';
import { drive } from '../load.js';
import { type ServerProcess, startApp, startBaseline } from '../processes.js';
import { freePort } from '../readiness.js';
import { checkStored, storedRows } from '../stored.js';

const WARM_UP_SECONDS = 2;
const RECORD_BYTES = 200;
const SMALL = 2;
const IN_DOUBT = 1_000;
const RECOVERED_WITHIN_MS = 2_000;
const HELD_SECRET = 'a secret for benches only';
const POLL_MS = 20;

const BODIES = {
  '/books-2pc': JSON.stringify({ title: 'Book {n}', author: 'Ursula K. Le Guin', price: 12.5, quantity: 7 }),
  '/customers': JSON.stringify({ name: 'Customer {n}', email: 'customer@example.org' }),
};
type Path = keyof typeof BODIES;
const LIST_OF = { '/books-2pc': '/books', '/customers': '/customers' } as const;

/** Loads with bodies that were never sent before, checks what is stored, resolves to the rate. */
function poster({ load, seconds }: Bench, connections?: number): (app: ServerProcess, path: Path) => Promise<number> {
  let firstNumber = 0;
  return async (app, path) => {
    let perSecond = 0;
    firstNumber += 10_000_000;
    const write = { method: 'POST', body: BODIES[path], firstNumber } as const;
    const options = { url: `${app.url}${path}`, seconds, write, ...(connections !== undefined && { connections }) };
    await checkStored(
      () => storedRows(app.url, LIST_OF[path]),
      async () => {
        const result = await drive(load, options);
        perSecond = result.perSecond;
        return result.answered;
      },
    );
    return perSecond;
  };
}

async function warmUp({ load }: Bench, app: ServerProcess, path: Path): Promise<void> {
  const write = { method: 'POST', body: BODIES[path], firstNumber: 0 } as const;
  await drive(load, { url: `${app.url}${path}`, seconds: WARM_UP_SECONDS, write });
}

/** The books of all transactions, and for each of them + 1 for a customer who was there before the first. */
async function expectWhole(app: ServerProcess, urls: readonly string[], booksBefore: number): Promise<void> {
  const added = (await storedRows(app.url, '/books')) - booksBefore;
  const { epoch, seq } = await positionOf(app);
  for (const url of urls) {
    const response = await fetch(`${url}/customers/1?min_seq=${String(epoch)}.${String(seq)}`);
    const { orders_count: counted } = (await response.json()) as { orders_count: number };
    expect(counted === added, `${added} books of transactions, and ${counted} increments on ${url}`);
  }
}

/** The same app takes turns between the two; on all four replicas, or without any. */
async function againstCustomers(bench: Bench, hasReplicas: boolean): Promise<readonly Round[]> {
  const directory = join(bench.directory, hasReplicas ? '2pc-replicated' : '2pc-alone');
  rmSync(directory, { recursive: true, force: true });
  const cluster = hasReplicas ? await Cluster.start(bench, directory) : undefined;
  const app = cluster?.app ?? (await startApp(bench, directory));
  try {
    await addCustomers(app, SMALL);
    const booksBefore = await storedRows(app.url, '/books');
    const posting = poster(bench);
    for (const path of ['/books-2pc', '/customers'] as const) await warmUp(bench, app, path);
    const rounds = await interleave(
      bench.rounds,
      () => posting(app, '/books-2pc'),
      () => posting(app, '/customers'),
    );
    await expectWhole(app, [app.url, ...(cluster?.replicas ?? []).map(({ url }) => url)], booksBefore);
    return rounds;
  } finally {
    await (cluster ?? app).kill();
  }
}

/** On a store with so many customers against one with two, each turn in a new process. */
async function manyCustomers(bench: Bench, customers: number): Promise<readonly Round[]> {
  const directory = join(bench.directory, `2pc-${String(customers)}`);
  const kept = join(directory, 'kept');
  const working = join(directory, 'working');
  const isLargest = customers === LargeStore.CUSTOMERS;
  rmSync(directory, { recursive: true, force: true });
  if (!isLargest) {
    const app = await startApp(bench, kept);
    await addCustomers(app, customers);
    await app.kill();
  }
  const turn = async (app: ServerProcess): Promise<number> => {
    await warmUp(bench, app, '/books-2pc');
    const rate = await poster(bench)(app, '/books-2pc');
    await expectWhole(app, [app.url], 0);
    await app.kill();
    return rate;
  };
  const large = async (): Promise<number> => {
    if (isLargest) await bench.largeStore.copyTo(working);
    else copyDirectory(kept, working);
    return turn(await startApp(bench, working));
  };
  const small = async (): Promise<number> => {
    rmSync(working, { recursive: true, force: true });
    const app = await startApp(bench, working);
    await addCustomers(app, SMALL);
    return turn(app);
  };
  return interleave(bench.rounds, large, small);
}

/** The app on one connection, without replicas, against what `against` begins in the same directory. */
async function onOneConnection(
  bench: Bench,
  name: string,
  against: (directory: string, posting: ReturnType<typeof poster>) => Promise<OtherSide>,
): Promise<readonly Round[]> {
  const directory = join(bench.directory, name);
  rmSync(directory, { recursive: true, force: true });
  const app = await startApp(bench, join(directory, 'app'));
  const posting = poster(bench, 1);
  const other = await against(directory, posting);
  try {
    await addCustomers(app, SMALL);
    await warmUp(bench, app, '/books-2pc');
    return await interleave(
      bench.rounds,
      () => posting(app, '/books-2pc'),
      () => other.rate(),
    );
  } finally {
    await app.kill();
    await other.end();
  }
}

interface OtherSide {
  rate(): Promise<number>;
  end(): Promise<void>;
}

/** Records of 200 bytes that are written and synchronised one after the other. */
const theDisk =
  ({ seconds }: Bench) =>
  async (directory: string): Promise<OtherSide> => ({
    rate: () => Promise.resolve(serialRate(join(directory, 'serial.dat'), seconds)),
    end: () => Promise.resolve(),
  });

/** A bare server that waits for the same three synchronisations. */
const threeSyncs =
  (bench: Bench) =>
  async (directory: string, posting: ReturnType<typeof poster>): Promise<OtherSide> => {
    const bare = await startBaseline(bench, 'three-syncs', join(directory, 'bare'), {
      FILE: join(directory, 'bare.dat'),
    });
    await warmUp(bench, bare, '/books-2pc');
    return { rate: () => posting(bare, '/books-2pc'), end: () => bare.kill() };
  };

function serialRate(path: string, seconds: number): number {
  const file = openSync(path, 'a');
  const record = Buffer.alloc(RECORD_BYTES, 'x');
  const from = performance.now();
  let count = 0;
  while (performance.now() - from < seconds * 1_000) {
    writeSync(file, record);
    fdatasyncSync(file);
    count += 1;
  }
  const rate = count / ((performance.now() - from) / 1_000);
  closeSync(file);
  return rate;
}

/**
 * What a thousand transactions in doubt add to a start: that of an app that was killed while the prepare records of all of
 * them waited for a replica that was stopped, less that of the same app when they are settled.
 */
async function recovery(bench: Bench): Promise<readonly Round[]> {
  const directory = join(bench.directory, '2pc-recovery');
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const inDoubt = join(directory, 'in-doubt');
  await leaveInDoubt(bench, inDoubt, join(directory, 'replica'));
  const working = join(directory, 'working');
  const rounds: Round[] = [];
  for (let round = 0; round < bench.rounds; round += 1) {
    copyDirectory(inDoubt, working);
    const recovering = await startApp(bench, working);
    const aborted = await abortedTransactions(recovering);
    expect(aborted === IN_DOUBT, `${aborted} of ${IN_DOUBT} transactions were recovered`);
    await recovering.kill();
    const settled = await startApp(bench, working);
    await settled.kill();
    const ms = Math.max(0, recovering.readyAfterMs - settled.readyAfterMs);
    rounds.push({ app: ms, baseline: RECOVERED_WITHIN_MS, ratio: ms / RECOVERED_WITHIN_MS });
  }
  return rounds;
}

async function leaveInDoubt(bench: Bench, directory: string, replicaDirectory: string): Promise<void> {
  const replica = await startReplica(bench.program, replicaDirectory, await freePort());
  const app = await startApp(bench, directory, {
    ...{ SEED: 'off', REPLICA_PORTS: String(replica.port), CLUSTER_SECRET: HELD_SECRET },
    ...{ REPLICA_TIMEOUT_MS: '60000', PREPARE_DEADLINE_MS: '120000', WRITE_DEADLINE_MS: '240000' },
  });
  const pool = new Pool(app.url, { connections: IN_DOUBT, headersTimeout: 0 });
  try {
    await addCustomers(app, SMALL);
    replica.hold();
    const headers = { 'content-type': 'application/json' };
    const sent = Array.from({ length: IN_DOUBT }, (_, number) => {
      const body = BODIES['/books-2pc'].replace('{n}', String(number));
      return pool.request({ path: '/books-2pc', method: 'POST', headers, body }).catch(() => undefined);
    });
    for (let prepared = 0; prepared < IN_DOUBT; prepared = await durablePrepares(app)) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    await app.kill();
    await Promise.all(sent);
  } finally {
    await app.kill();
    await replica.kill();
    await pool.destroy();
  }
}

/** By the place of the last durable record: the epoch's first, two customers, and then a record per prepare. */
async function durablePrepares(app: ServerProcess): Promise<number> {
  return (await positionOf(app)).seq - 1 - SMALL;
}

async function positionOf({ url }: ServerProcess): Promise<{ readonly epoch: number; readonly seq: number }> {
  const response = await fetch(`${url}/replication/status`);
  return ((await response.json()) as { position: { epoch: number; seq: number } }).position;
}

async function abortedTransactions(app: ServerProcess): Promise<number> {
  const response = await fetch(`${app.url}/transactions?state=aborted&limit=1`);
  await response.arrayBuffer();
  expect(response.status === 200, `/transactions was answered with ${response.status}`);
  return Number(response.headers.get('x-total-count'));
}

const base = { unit: 'requests/s', better: 'higher' } as const;

export const TWO_PHASE_COMMIT: readonly Figure[] = [
  {
    ...base,
    name: '2pc',
    title: 'POST /books-2pc, without replicas, against POST /customers',
    must: 0.4,
    aim: 0.6,
    measure: (bench) => againstCustomers(bench, false),
  },
  {
    ...base,
    name: '2pc-replicated',
    title: 'POST /books-2pc, prepared on all four replicas, against POST /customers on all four',
    must: 0.4,
    aim: 0.6,
    measure: (bench) => againstCustomers(bench, true),
  },
  {
    ...base,
    name: '2pc-10k',
    title: 'POST /books-2pc with 10,000 customers against with 2',
    must: 0.9,
    aim: 1,
    measure: (bench) => manyCustomers(bench, 10_000),
  },
  {
    ...base,
    name: '2pc-100k',
    title: 'POST /books-2pc with 100,000 customers against with 2',
    must: 0.85,
    aim: 1,
    measure: (bench) => manyCustomers(bench, LargeStore.CUSTOMERS),
  },
  {
    ...base,
    name: '2pc-one',
    title: 'POST /books-2pc on one connection against serial fdatasyncs',
    must: 0.25,
    aim: 0.4,
    measure: (bench) => onOneConnection(bench, '2pc-one', theDisk(bench)),
  },
  {
    ...base,
    name: '2pc-one-bare',
    title: 'POST /books-2pc on one connection against a bare server with the same three fsyncs',
    must: 0.5,
    aim: 0.7,
    measure: (bench) => onOneConnection(bench, '2pc-one-bare', threeSyncs(bench)),
  },
  {
    name: '2pc-recovery',
    title: 'Recovery of 1,000 in-doubt transactions at a start, limit 2 s',
    unit: 'ms',
    better: 'lower',
    must: 1,
    aim: 0.5,
    measure: recovery,
  },
];
