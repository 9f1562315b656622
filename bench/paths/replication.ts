import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Cluster, REPLICAS } from '../cluster.js';
import { expect } from '../expect.js';
import { type Bench, type Figure, interleave, type Round } from '../figure.js';
import { drive } from '../load.js';
import { type ServerProcess, startApp, startBaseline } from '../processes.js';
import { checkStored, storedRecords, storedRows } from '../stored.js';

const WARM_UP_SECONDS = 2;
const RECORD_BYTES = 200;
const BODY = JSON.stringify({ name: 'Customer {n}', email: 'customer@example.org' });

type Count = () => number | Promise<number>;

/** Loads with bodies that were never sent before, checks what is stored, resolves to the rate. */
function poster({ load, seconds }: Bench, connections?: number): (url: string, count: Count) => Promise<number> {
  let firstNumber = 0;
  return async (url, count) => {
    let perSecond = 0;
    firstNumber += 10_000_000;
    const write = { method: 'POST', body: BODY, firstNumber } as const;
    await checkStored(count, async () => {
      const result = await drive(load, { url, seconds, write, ...(connections !== undefined && { connections }) });
      perSecond = result.perSecond;
      return result.answered;
    });
    return perSecond;
  };
}

async function warmUp({ load }: Bench, url: string): Promise<void> {
  await drive(load, { url, seconds: WARM_UP_SECONDS, write: { method: 'POST', body: BODY, firstNumber: 0 } });
}

/** Every customer that the app holds is on every replica. */
async function expectEqual({ app, replicas }: Cluster): Promise<void> {
  const rows = await storedRows(app.url, '/customers');
  for (const replica of replicas) {
    const held = await storedRows(replica.url, '/customers');
    expect(held === rows, `${rows} customers on the app, ${held} on ${replica.url}`);
  }
}

/** `connections` absent: the usual many. */
async function againstAlone(bench: Bench, connections?: number): Promise<readonly Round[]> {
  const directory = join(bench.directory, 'replicated');
  rmSync(directory, { recursive: true, force: true });
  const cluster = await Cluster.start(bench, directory);
  const alone = await startApp(bench, join(directory, 'alone'));
  try {
    const posting = poster(bench, connections);
    const measure = (app: ServerProcess): Promise<number> =>
      posting(`${app.url}/customers`, () => storedRows(app.url, '/customers'));
    await warmUp(bench, `${cluster.app.url}/customers`);
    await warmUp(bench, `${alone.url}/customers`);
    const rounds = await interleave(
      bench.rounds,
      () => measure(cluster.app),
      () => measure(alone),
    );
    await expectEqual(cluster);
    return rounds;
  } finally {
    await cluster.kill();
    await alone.kill();
  }
}

/** The same app and the same replicas, but each record goes to each replica in a message of its own. */
async function againstCallPerWrite(bench: Bench): Promise<readonly Round[]> {
  const directory = join(bench.directory, 'call-per-write');
  rmSync(directory, { recursive: true, force: true });
  const batched = await Cluster.start(bench, join(directory, 'batched'));
  const single = await Cluster.start(bench, join(directory, 'single'), { REPLICATION_BATCH_BYTES: '1' });
  try {
    const posting = poster(bench);
    const measure = ({ app }: Cluster): Promise<number> =>
      posting(`${app.url}/customers`, () => storedRows(app.url, '/customers'));
    for (const { app } of [batched, single]) await warmUp(bench, `${app.url}/customers`);
    const rounds = await interleave(
      bench.rounds,
      () => measure(batched),
      () => measure(single),
    );
    await expectEqual(batched);
    return rounds;
  } finally {
    await batched.kill();
    await single.kill();
  }
}

/**
 * As many bare copies, each told every write by a call of its own, many at a time and in any order: no validation, no
 * checks, no history.
 */
async function againstBare(bench: Bench): Promise<readonly Round[]> {
  const directory = join(bench.directory, 'bare-copies');
  rmSync(directory, { recursive: true, force: true });
  const cluster = await Cluster.start(bench, join(directory, 'cluster'));
  const copies: ServerProcess[] = [];
  const started: ServerProcess[] = [];
  try {
    for (let number = 1; number <= REPLICAS; number += 1) {
      const place = join(directory, `copy-${number}`);
      copies.push(await startBaseline(bench, 'naive-replica', place, { FILE: join(place, 'copy.dat') }));
    }
    const file = join(directory, 'primary.dat');
    const COPIES = copies.map(({ url }) => url).join(',');
    const naive = await startBaseline(bench, 'naive-primary', join(directory, 'primary'), { FILE: file, COPIES });
    started.push(naive);
    const posting = poster(bench);
    await warmUp(bench, `${cluster.app.url}/customers`);
    await warmUp(bench, `${naive.url}/append`);
    return await interleave(
      bench.rounds,
      () => posting(`${cluster.app.url}/customers`, () => storedRows(cluster.app.url, '/customers')),
      () => posting(`${naive.url}/append`, () => storedRecords(file, RECORD_BYTES)),
    );
  } finally {
    await cluster.kill();
    await Promise.all([...started, ...copies].map((server) => server.kill()));
  }
}

/** One replica is held with SIGSTOP, after it has left the in-sync set, against all four in sync. */
async function oneHeld(bench: Bench): Promise<readonly Round[]> {
  const directory = join(bench.directory, 'held');
  rmSync(directory, { recursive: true, force: true });
  const cluster = await Cluster.start(bench, directory);
  const [held] = cluster.replicas;
  expect(held !== undefined, 'there is a replica to be held');
  try {
    const posting = poster(bench);
    const post = (): Promise<number> =>
      posting(`${cluster.app.url}/customers`, () => storedRows(cluster.app.url, '/customers'));
    const countOf = (state: string, count: number) => (replicas: readonly { readonly state: string }[]) =>
      replicas.filter((replica) => replica.state === state).length === count;
    await warmUp(bench, `${cluster.app.url}/customers`);
    return await interleave(
      bench.rounds,
      async () => {
        held.hold();
        await cluster.until(countOf('unreachable', 1), 'the held replica has left');
        const rate = await post();
        held.release();
        return rate;
      },
      async () => {
        await cluster.until(countOf('in-sync', REPLICAS), 'the released replica is back');
        return post();
      },
    );
  } finally {
    await cluster.kill();
  }
}

/** How quickly a replica takes in what it missed, against how quickly it was written; the app is idle meanwhile. */
async function catchingUp(bench: Bench): Promise<readonly Round[]> {
  const directory = join(bench.directory, 'catching-up');
  rmSync(directory, { recursive: true, force: true });
  const cluster = await Cluster.start(bench, directory);
  const [away] = cluster.replicas;
  expect(away !== undefined, 'there is a replica to be away');
  try {
    const posting = poster(bench);
    await warmUp(bench, `${cluster.app.url}/customers`);
    const rounds: Round[] = [];
    for (let round = 0; round < bench.rounds; round += 1) {
      await cluster.until((all) => all.every(({ state }) => state === 'in-sync'), 'all replicas are in sync');
      const before = await storedRows(cluster.app.url, '/customers');
      away.hold();
      await cluster.until((all) => all.some(({ state }) => state === 'unreachable'), 'the held replica has left');
      const live = await posting(`${cluster.app.url}/customers`, () => storedRows(cluster.app.url, '/customers'));
      const missed = (await storedRows(cluster.app.url, '/customers')) - before;
      const from = performance.now();
      away.release();
      await cluster.until((all) => all.every(({ state }) => state === 'in-sync'), 'the replica has caught up');
      const rate = missed / ((performance.now() - from) / 1_000);
      rounds.push({ app: rate, baseline: live, ratio: rate / live });
    }
    await expectEqual(cluster);
    return rounds;
  } finally {
    await cluster.kill();
  }
}

const base = { unit: 'requests/s', better: 'higher' } as const;

export const REPLICATION: readonly Figure[] = [
  {
    ...base,
    name: 'post-replicated',
    title: 'POST /customers, on all four replicas, against the app without any',
    must: 0.2,
    aim: 0.35,
    measure: (bench) => againstAlone(bench),
  },
  {
    ...base,
    name: 'post-replicated-single',
    title: 'POST /customers, on all four replicas, against a call per write and replica',
    must: 3,
    aim: 5,
    measure: againstCallPerWrite,
  },
  {
    ...base,
    name: 'post-replicated-bare',
    title: 'POST /customers, on all four, against plain copies that receive each write in any order',
    must: 1,
    aim: 2,
    measure: againstBare,
  },
  {
    ...base,
    name: 'post-replicated-one',
    title: 'POST /customers on one connection, on all four, against the app without replicas',
    must: 0.1,
    aim: 0.15,
    measure: (bench) => againstAlone(bench, 1),
  },
  {
    ...base,
    name: 'post-one-held',
    title: 'POST /customers with one replica stopped against all healthy',
    must: 0.8,
    aim: 1,
    measure: oneHeld,
  },
  {
    ...base,
    name: 'catch-up',
    title: 'Records per second of a replica that catches up against the live rate',
    unit: 'records/s',
    must: 10,
    aim: 20,
    measure: catchingUp,
  },
];
