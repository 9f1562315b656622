/**
 * Runs the test suites: `npm test`. Those that compute run beside those that mostly wait for real processes; of the latter,
 * each half of the files beside the other. The last line is `N passed, N failed`.
 *
 * `--only <suite>[,<suite>]` chooses suites; everything else is passed on to Jest, for example
 * `npm test -- --only unit src/kernel -t 'a name'`. What a suite needs is installed and built first.
 *
 * `--long` runs each round and each case of the tests that otherwise choose some at random.
 *
 * `nodes` is not among those of `npm test`, for it fetches other Nodes: starts with each, all unit tests on the oldest, and on the
 * others those of what differs there.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandLine } from './command-line.mjs';
import { otherNode, UNIT_SPECS_ON } from './other-nodes.mjs';
import {
  ensureBuild,
  ensureDependencies,
  ensureFlask,
  ensureNode,
  ensurePostgres,
  ensureRedis,
  ProvisionError,
  ROOT,
} from './provision.mjs';

/** What runs side by side; each lane runs one suite after the other. So many use two cores to the full. */
const LANES = ['processes', 'more processes', 'computing'];

/** A whole suite with two lanes runs half of its files in each. Only what runs in one worker is noticed when it does not end. */
const SUITES = {
  unit: { workers: 2, lanes: ['computing'] },
  proof: { workers: 2, lanes: ['computing'] },
  integration: { workers: 1, lanes: ['processes', 'more processes'] },
  e2e: { workers: 1, lanes: ['processes', 'more processes'] },
  nodes: { workers: 1, lanes: ['processes'] },
};
/** Computing takes what the processes leave. */
const LOW_PRIORITY = 5;

/** Generous: how slow a machine is shall never decide a test. */
const TEST_TIMEOUT_MS = 180_000;
/** How long a suite that has reported may take to end. After that it has left something open, which is a failure. */
const END_TIMEOUT_MS = 30_000;

async function readArguments() {
  const program = (
    await commandLine('npm test', 'Runs the test suites, after it has installed and built what they need.')
  )
    .usage('-- [--only <suites>] [arguments of Jest]')
    .option('--only <suites>', `with commas between them: ${Object.keys(SUITES).join(', ')}; else all but nodes`)
    .option('--long', 'each round and each case, where the tests otherwise choose some at random')
    .argument('[jest...]', "path patterns and Jest's own options, such as src/kernel -t 'a name'")
    .allowUnknownOption()
    .parse();
  const { only, long: isLong = false } = program.opts();
  if (isLong) process.env.TEST_LONG = 'on';
  const names = only?.split(',') ?? Object.keys(SUITES).filter((name) => name !== 'nodes');
  if (names.some((name) => !Object.hasOwn(SUITES, name))) {
    throw new ProvisionError(`--only must name some of ${Object.keys(SUITES).join(', ')}, but got "${only}".`);
  }
  return { names, jestArgs: program.args };
}

function provisionFor(names) {
  if (!names.some((name) => SUITES[name].lanes.includes('processes'))) return;
  process.env.REDIS_SERVER_BIN = ensureRedis() ?? '';
  if (names.includes('integration')) {
    process.env.POSTGRES_BIN_DIR = ensurePostgres() ?? '';
    process.env.FLASK_PYTHON = ensureFlask() ?? '';
  }
  ensureBuild();
}

/**
 * Runs Jest and shows what it says, in all lanes but the first at its end. Resolves to its exit code, or to 'stuck' when it
 * reported and did not end.
 */
function runJest({ name, node, lane, chosen }, reportFile, jestArgs, isShown) {
  const jest = spawn(
    node,
    [
      ...['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
      join(ROOT, 'node_modules/jest/bin/jest.js'),
      ...['--selectProjects', name, `--maxWorkers=${SUITES[name].workers}`, `--testTimeout=${TEST_TIMEOUT_MS}`],
      ...['--passWithNoTests', '--json', `--outputFile=${reportFile}`, ...chosen, ...jestArgs],
    ],
    {
      cwd: ROOT,
      env: { ...process.env, TEST_LANE: `${LANES.indexOf(lane)}` },
      stdio: ['ignore', 'ignore', isShown ? 'inherit' : 'pipe'],
    },
  );
  if (lane === 'computing' && jest.pid !== undefined) setPriority(jest.pid, LOW_PRIORITY);
  const held = [];
  jest.stderr?.on('data', (chunk) => held.push(chunk));
  return new Promise((resolve, reject) => {
    let isStuck = false;
    let reportedMs;
    const watch = setInterval(() => {
      if (existsSync(reportFile)) reportedMs ??= Date.now();
      if (reportedMs !== undefined && Date.now() - reportedMs > END_TIMEOUT_MS) {
        isStuck = true;
        jest.kill('SIGKILL');
      }
    }, 250);
    jest.on('error', reject);
    jest.on('close', (code) => {
      clearInterval(watch);
      process.stderr.write(Buffer.concat(held));
      resolve(isStuck ? 'stuck' : code);
    });
  });
}

/** The runs of Jest, in order. What Jest is given by the caller is not divided. `nodes` runs unit tests on each of them too. */
function runsOf(names, isWhole) {
  return names.flatMap((name) => {
    const lanes = SUITES[name].lanes.slice(0, isWhole ? undefined : 1);
    const own = lanes.map((lane, index) => {
      const of = { name, lane, node: process.execPath };
      if (lanes.length === 1) return { ...of, title: name, chosen: [] };
      const part = index + 1;
      return { ...of, title: `${name} ${part} of ${lanes.length}`, chosen: [`--shard=${part}/${lanes.length}`] };
    });
    const elsewhere = Object.entries(name === 'nodes' ? UNIT_SPECS_ON : {}).map(([version, paths]) => ({
      ...{ name: 'unit', lane: 'computing', node: otherNode(version), title: `unit ${version}` },
      chosen: isWhole ? [`--testPathPatterns=${paths}`] : [],
    }));
    return [...elsewhere, ...own];
  });
}

async function runSuite(run, folder, jestArgs, isShown) {
  const startedMs = Date.now();
  const { title } = run;
  const reportFile = join(folder, `${title}.json`);
  const end = await runJest(run, reportFile, jestArgs, isShown);
  const report = existsSync(reportFile) ? JSON.parse(readFileSync(reportFile, 'utf8')) : undefined;
  const row = {
    name: title,
    passed: report?.numPassedTests ?? 0,
    failed: (report?.numFailedTests ?? 0) + (report?.numRuntimeErrorTestSuites ?? 0),
    skipped: (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0),
    seconds: (Date.now() - startedMs) / 1000,
    note: '',
  };
  if (end === 'stuck')
    return { ...row, failed: row.failed + 1, note: 'did not exit by itself: it left something open, and was stopped' };
  if (end !== 0 && row.failed === 0) return { ...row, failed: 1, note: `Jest ended with ${end}` };
  const isWhole = jestArgs.length === 0;
  if (isWhole && report.numTotalTestSuites > 0 && row.passed + row.failed === 0) {
    return { ...row, failed: 1, note: 'ran none of its tests' };
  }
  return row;
}

function printTable(rows) {
  const line = (...cells) =>
    console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(20) : cell.padStart(9))).join(''));
  console.log('');
  line('suite', 'passed', 'failed', 'skipped', 'seconds');
  for (const { name, passed, failed, skipped, seconds, note } of rows) {
    line(name, `${passed}`, `${failed}`, `${skipped}`, seconds.toFixed(1), note === '' ? '' : `   ${note}`);
  }
}

/** Runs each lane beside the others; the rows of all. */
async function runLanes(runs, folder, jestArgs) {
  const lanes = LANES.map((lane) => runs.filter((run) => run.lane === lane)).filter(({ length }) => length > 0);
  const runLane = async (lane) => {
    const rows = [];
    for (const run of lane) rows.push(await runSuite(run, folder, jestArgs, lane === lanes[0]));
    return rows;
  };
  return (await Promise.all(lanes.map(runLane))).flat();
}

async function main() {
  await ensureNode();
  ensureDependencies();
  const { names, jestArgs } = await readArguments();
  provisionFor(names);
  const folder = mkdtempSync(join(tmpdir(), 'bifolio-tests-'));
  try {
    const rows = await runLanes(runsOf(names, jestArgs.length === 0), folder, jestArgs);
    printTable(rows);
    return rows;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

let passed = 0;
let failed = 0;
try {
  for (const row of await main()) {
    passed += row.passed;
    failed += row.failed;
  }
  if (passed + failed === 0) {
    console.log('No test ran, which counts as a failure.');
    failed = 1;
  }
} catch (error) {
  console.error(error instanceof ProvisionError ? error.message : error);
  failed += 1;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
