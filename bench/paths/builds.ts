import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Cluster } from '../cluster.js';
import { expect } from '../expect.js';
import type { Bench, Figure, Round } from '../figure.js';
import { drive } from '../load.js';
import { type ServerProcess, startApp } from '../processes.js';
import { checkStored, storedRows } from '../stored.js';

const WARM_UP_SECONDS = 2;
const LISTED_BOOKS = 100;

const BODIES = {
  '/books': JSON.stringify({ title: 'Book {n}', author: 'Ursula K. Le Guin', price: 12.5, quantity: 7 }),
  '/customers': JSON.stringify({ name: 'Customer {n}', email: 'customer@example.org' }),
  '/books-2pc': JSON.stringify({ title: 'Book {n}', author: 'Ursula K. Le Guin', price: 12.5, quantity: 7 }),
};

interface Work {
  readonly name: string;
  readonly title: string;
  readonly path: string;
  /** Absent: GET. */
  readonly body?: string;
  readonly isReplicated?: true;
  /** Absent: the usual many. */
  readonly connections?: number;
  /** Least share of the other build's rate. */
  readonly must: number;
}

const WORKS: readonly Work[] = [
  { name: 'book', title: 'GET /books/{id}', path: '/books/42', must: 0.97 },
  { name: 'books', title: 'GET /books (100 books)', path: '/books', must: 0.97 },
  ...writes('post-book', '/books'),
  ...writes('post-customer', '/customers'),
  ...writes('2pc', '/books-2pc'),
  ...writes('post-replicated', '/customers', true),
];

function writes(name: string, path: keyof typeof BODIES, isReplicated = false): readonly Work[] {
  const work = { name, path, body: BODIES[path], must: 0.9, ...(isReplicated && { isReplicated: true as const }) };
  const title = `POST ${path}${isReplicated ? ' on all four replicas' : ''}`;
  return [
    { ...work, title },
    { ...work, name: `${name}-one`, title: `${title}, one connection`, connections: 1 },
  ];
}

/** What one build needs for one load. */
interface Cost {
  readonly perSecond: number;
  readonly appMicroseconds: number;
  /** Of one replica, the mean of all; NaN without replicas. */
  readonly replicaMicroseconds: number;
}

interface Comparison {
  readonly build: Cost;
  readonly other: Cost;
}

/** A build with its data, ready to be loaded. */
interface Build {
  readonly app: ServerProcess;
  readonly replicas: readonly ServerProcess[];
  kill(): Promise<void>;
}

/**
 * Figures that compare the build with another one under the same loads: rate, and CPU time per request (user and system, by
 * the processes' own metrics), which other work on the machine moves least.
 */
export function buildFigures(otherProgram: string): readonly Figure[] {
  return WORKS.flatMap((work) => {
    let measured: Promise<readonly Comparison[]> | undefined;
    const compareOnce = (bench: Bench): Promise<readonly Comparison[]> =>
      (measured ??= compare(bench, otherProgram, work));
    const figure = (
      name: string,
      what: string,
      limits: Pick<Figure, 'unit' | 'better' | 'must' | 'aim'>,
      pick: (cost: Cost) => number,
    ): Figure => ({
      ...{ name, title: `${work.title}: ${what}`, ...limits },
      measure: async (bench) => (await compareOnce(bench)).map(({ build, other }) => roundOf(pick(build), pick(other))),
    });
    const rate = { unit: 'requests/s', better: 'higher', must: work.must, aim: 1 } as const;
    const cpu = { unit: 'us', better: 'lower', must: 1.03, aim: 1 } as const;
    return [
      figure(work.name, 'rate', rate, ({ perSecond }) => perSecond),
      figure(`${work.name}-cpu`, 'CPU of the app', cpu, ({ appMicroseconds }) => appMicroseconds),
      ...(work.isReplicated === true
        ? [figure(`${work.name}-cpu-replica`, 'CPU of a replica', cpu, (cost) => cost.replicaMicroseconds)]
        : []),
    ];
  });
}

function roundOf(app: number, baseline: number): Round {
  return { app, baseline, ratio: app / baseline };
}

/** In two halves, each with processes of its own: of two processes of one build the one made first may be the slower one. */
async function compare(bench: Bench, otherProgram: string, work: Work): Promise<readonly Comparison[]> {
  const half = Math.ceil(bench.rounds / 2);
  return [
    ...(await compareFor(half, bench, otherProgram, work, true)),
    ...(await compareFor(bench.rounds - half, bench, otherProgram, work, false)),
  ];
}

async function compareFor(
  rounds: number,
  bench: Bench,
  otherProgram: string,
  work: Work,
  isBuildFirst: boolean,
): Promise<readonly Comparison[]> {
  const directory = join(bench.directory, 'builds');
  rmSync(directory, { recursive: true, force: true });
  const programs = isBuildFirst ? [bench.program, otherProgram] : [otherProgram, bench.program];
  const builds: Build[] = [];
  try {
    for (const program of programs) {
      builds.push(await start(program, join(directory, String(builds.length)), work));
    }
    const load = loader(bench, work);
    for (const { app } of builds) await load(app, WARM_UP_SECONDS);
    const comparisons: Comparison[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const [first, second] = round % 2 === 0 ? builds : builds.toReversed();
      if (first === undefined || second === undefined) throw new Error('two builds were started');
      const costs = [await costOf(first, load, bench.seconds), await costOf(second, load, bench.seconds)] as const;
      const isInOrder = (round % 2 === 0) === isBuildFirst;
      comparisons.push({ build: costs[isInOrder ? 0 : 1], other: costs[isInOrder ? 1 : 0] });
    }
    return comparisons;
  } finally {
    await Promise.all(builds.map((build) => build.kill()));
  }
}

async function start(program: string, directory: string, { isReplicated, body }: Work): Promise<Build> {
  if (isReplicated === true) return Cluster.start({ program }, directory);
  const app = await startApp({ program }, directory);
  if (body === undefined) await addBooks(app);
  return { app, replicas: [], kill: () => app.kill() };
}

async function addBooks({ url }: ServerProcess): Promise<void> {
  for (let number = 1; number <= LISTED_BOOKS; number += 1) {
    const body = BODIES['/books'].replace('{n}', String(number).padStart(12, '0'));
    const headers = { 'content-type': 'application/json' };
    const { status } = await fetch(`${url}/books`, { method: 'POST', headers, body });
    expect(status === 201, `a book was answered with ${status}`);
  }
}

type LoadOf = (app: ServerProcess, seconds: number) => Promise<{ perSecond: number; answered: number }>;

function loader({ load }: Bench, { path, body, connections }: Work): LoadOf {
  let firstNumber = 0;
  return async ({ url }, seconds) => {
    const request = { url: `${url}${path}`, seconds, ...(connections !== undefined && { connections }) };
    if (body === undefined) return drive(load, request);
    firstNumber += 10_000_000;
    const write = { method: 'POST', body, firstNumber } as const;
    let result = { perSecond: 0, answered: 0 };
    const list = path === '/books-2pc' ? '/books' : path;
    await checkStored(
      () => storedRows(url, list),
      async () => (result = await drive(load, { ...request, write })).answered,
    );
    return result;
  };
}

async function costOf({ app, replicas }: Build, load: LoadOf, seconds: number): Promise<Cost> {
  const servers = [app, ...replicas];
  const before = await Promise.all(servers.map(cpuMicroseconds));
  const { perSecond, answered } = await load(app, seconds);
  const after = await Promise.all(servers.map(cpuMicroseconds));
  const [appMicroseconds = NaN, ...ofReplicas] = after.map((used, at) => (used - (before[at] ?? NaN)) / answered);
  const sum = ofReplicas.reduce((total, used) => total + used, 0);
  return { perSecond, appMicroseconds, replicaMicroseconds: sum / ofReplicas.length };
}

/** User and system time since the start of the process, by its own account. */
async function cpuMicroseconds({ url }: ServerProcess): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const [, seconds] = /^process_cpu_seconds_total(?:\{[^}]*\})? (\S+)$/m.exec(metrics) ?? [];
  expect(seconds !== undefined, `${url}/metrics shows no process_cpu_seconds_total`);
  return Number(seconds) * 1e6;
}
