import { simulationOptions } from '../../support/simulation-options.js';
import { Coverage } from './coverage.js';
import { describeFailure, simulate } from './simulate.js';
import { PLANTED } from './planted-bugs.js';
import { REAL } from './variant.js';

/**
 * `npm run simulate -- --protocol two-phase-commit --seed 123` replays one run, `--seeds 20000 --from 1` tries many. `--bug
 * '<name>'` plants a bug, `--coverage` counts the events.
 */
const { variant, first, count, isCovered } = simulationOptions(process.argv, REAL, PLANTED);

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
if (isCovered) console.table(Object.fromEntries([...met.counts].sort()));
const seconds = (performance.now() - beganMs) / 1_000;
console.log(
  `${count} runs, ${failed} failed; ${committed} transactions committed; ` +
    `slowest settled in ${Math.round(slowestMs)} ms; ${seconds.toFixed(1)} s`,
);
process.exitCode = failed === 0 ? 0 : 1;
