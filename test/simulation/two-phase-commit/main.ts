import { Coverage } from './coverage.js';
import { describeFailure, simulate } from './simulate.js';
import { PLANTED } from './planted-bugs.js';
import { REAL } from './variant.js';

/**
 * `npm run simulate -- --protocol two-phase-commit --seed 123` replays one run, `--seeds 20000 --from 1` tries many.
 * `--bug '<name>'` plants a bug, `--coverage` says what came about and how often.
 */
function option(name: string): string | undefined {
  const place = process.argv.indexOf(`--${name}`);
  return place === -1 ? undefined : process.argv[place + 1];
}

const bug = option('bug');
const variant = bug === undefined ? REAL : PLANTED[bug];
if (!variant) throw new Error(`There is no such bug; there are: ${Object.keys(PLANTED).join(', ')}.`);
const one = option('seed');
const first = Number(one ?? option('from') ?? 1);
const count = one === undefined ? Number(option('seeds') ?? 2_000) : 1;

const beganMs = performance.now();
const met = new Coverage();
let failed = 0;
let committed = 0;
let slowestMs = 0;
for (let seed = first; seed < first + count; seed += 1) {
  const outcome = await simulate(seed, variant);
  committed += outcome.committed;
  slowestMs = Math.max(slowestMs, outcome.settledInMs);
  met.add(outcome.met);
  if (outcome.violation === undefined) continue;
  failed += 1;
  console.log(describeFailure(seed, outcome.violation));
}
if (process.argv.includes('--coverage')) console.table(Object.fromEntries([...met.counts].sort()));
const seconds = (performance.now() - beganMs) / 1_000;
console.log(
  `${count} runs, ${failed} failed; ${committed} transactions committed; ` +
    `slowest settled in ${Math.round(slowestMs)} ms; ${seconds.toFixed(1)} s`,
);
process.exitCode = failed === 0 ? 0 : 1;
