import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Autocannon } from './autocannon.js';
import { findRedisServer } from '../src/platform/redis/find-server.js';
import { WrongAnswer } from './expect.js';
import type { Bench, Figure } from './figure.js';
import { fillShop, LargeStore } from './large-store.js';
import type { LoadGenerator } from './load.js';
import { describeMachine, type Machine } from './machine.js';
import { buildFigures } from './paths/builds.js';
import { CHECKOUTS } from './paths/checkouts.js';
import { GATEWAY } from './paths/gateway.js';
import { GROUPS } from './paths/groups.js';
import { LARGE_STORE_WRITES } from './paths/large-store-writes.js';
import { READER } from './paths/reader.js';
import { READS, REDIS_READS } from './paths/reads.js';
import { REDIS_FAULTS } from './paths/redis-faults.js';
import { REPLICA_PROCESS } from './paths/replica-process.js';
import { REPLICATION } from './paths/replication.js';
import { STARTS } from './paths/starts.js';
import { TAKEOVERS } from './paths/takeovers.js';
import { TWO_PHASE_COMMIT } from './paths/two-phase-commit.js';
import { WRITES } from './paths/writes.js';
import { startApp } from './processes.js';
import { ensureWrk } from './provision-wrk.js';
import { jsonOf, type Report, type Row, summarise, tableOf } from './report.js';
import { readSettings, type Settings } from './settings.js';
import { svgOf } from './svg.js';
import { Wrk } from './wrk.js';

const hasRedis = findRedisServer(undefined, process.env['PATH'] ?? '') !== undefined;
const FIGURES: readonly Figure[] = [
  ...READS,
  ...WRITES,
  ...LARGE_STORE_WRITES,
  ...STARTS,
  ...TAKEOVERS,
  ...REPLICATION,
  ...REPLICA_PROCESS,
  ...TWO_PHASE_COMMIT,
  ...GROUPS,
  ...CHECKOUTS,
  ...READER,
  ...GATEWAY,
  ...(hasRedis ? [...REDIS_READS, ...REDIS_FAULTS] : []),
];
const figuresOf = (against: string | undefined): readonly Figure[] =>
  against === undefined ? FIGURES : buildFigures(resolve(ROOT, against));
/** From build/bench/, where this file is compiled to. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Share of the cores; more than this and the servers do not get what they need. */
const MAX_BUSY = 0.5;
const EXIT_WRONG_ANSWER = 1;
const EXIT_USAGE = 2;

async function main(settings: Settings): Promise<void> {
  const machine = describeMachine(ROOT);
  const load = chooseGenerator(settings.generator);
  mkdirSync(join(ROOT, 'build'), { recursive: true });
  const directory = mkdtempSync(join(ROOT, 'build/bench-data-'));
  process.on('exit', () => {
    rmSync(directory, { recursive: true, force: true });
  });
  process.on('SIGINT', () => process.exit(130));
  process.on('SIGTERM', () => process.exit(143));

  const bench = prepare(settings, load, directory);
  const rows: Row[] = [];
  for (const figure of figuresOf(settings.against).filter(
    ({ name }) => settings.only.length === 0 || settings.only.includes(name),
  )) {
    rows.push(await measure(figure, bench));
  }
  const report: Report = { machine, generator: load.name, notes: notesOn(load, machine), rows };
  console.log(`\n${tableOf(report)}\n`);
  const isWhole = settings.only.length === 0 && settings.against === undefined;
  save(report, isWhole ? 'bench/results' : 'build/bench-results');
  if (rows.some(({ wrong }) => wrong !== undefined)) process.exitCode = EXIT_WRONG_ANSWER;
}

function notesOn({ name, boundsFigures }: LoadGenerator, { busyBefore, cores }: Machine): string[] {
  const notes: string[] = [];
  if (boundsFigures) {
    notes.push(
      `${name} uses more CPU than the servers under test and limits these figures: install wrk for reliable ones`,
    );
  }
  if (busyBefore > cores * MAX_BUSY) {
    notes.push(`the machine was busy with other work (load ${busyBefore.toFixed(1)}), so the figures vary`);
  }
  return notes;
}

function chooseGenerator(wanted: string): LoadGenerator {
  const wrk = wanted === 'wrk' ? ensureWrk() : undefined;
  return wrk === undefined ? new Autocannon() : new Wrk(wrk, join(ROOT, 'bench/lua/load.lua'));
}

/** The app's program is copied, so that a build during the bench changes nothing. */
function prepare(settings: Settings, load: LoadGenerator, directory: string): Bench {
  const bundle = join(directory, 'bundle');
  cpSync(dirname(resolve(ROOT, settings.program)), bundle, { recursive: true });
  const program = join(bundle, basename(settings.program));
  const common = {
    directory,
    baselines: join(ROOT, 'build/bench/baselines'),
    program,
    rounds: settings.rounds,
    seconds: settings.seconds,
    load,
  };
  const start = (place: string): ReturnType<typeof startApp> => startApp({ program }, place);
  const largeStore = new LargeStore(join(directory, 'large'), start);
  const largeShop = new LargeStore(join(directory, 'large-shop'), start, fillShop);
  return { ...common, largeStore, largeShop };
}

async function measure(figure: Figure, bench: Bench): Promise<Row> {
  process.stdout.write(`${figure.title} ... `);
  try {
    const row: Row = { figure, rounds: await figure.measure(bench), wrong: undefined };
    console.log(summarise(row).median.toFixed(2));
    return row;
  } catch (error) {
    if (!(error instanceof WrongAnswer)) throw error;
    console.log(`WRONG: ${error.message}`);
    return { figure, rounds: [], wrong: error.message };
  }
}

function save(report: Report, folder: string): void {
  mkdirSync(join(ROOT, folder), { recursive: true });
  const files = { 'latest.json': jsonOf(report), 'latest.svg': svgOf(report) };
  for (const [name, content] of Object.entries(files)) {
    const path = join(ROOT, folder, name);
    writeFileSync(path, content);
    console.log(`wrote ${relative(process.cwd(), path)}`);
  }
}

let settings: Settings;
try {
  settings = readSettings(process.argv[2] ?? '', (against) => figuresOf(against).map(({ name }) => name));
} catch (error) {
  console.error((error as Error).message);
  process.exit(EXIT_USAGE);
}
await main(settings);
