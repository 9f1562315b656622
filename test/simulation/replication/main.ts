import { simulationOptions } from '../../support/simulation-options.js';
import { describeFailure, simulate } from './simulate.js';
import { PLANTED, REAL } from './variant.js';

/**
 * `npm run simulate -- --seed 123` replays one run, `--seeds 20000 --from 1` tries many. `--bug '<name>'` plants a bug.
 */
const { variant, first, count } = simulationOptions(process.argv, REAL, PLANTED);

const beganMs = performance.now();
let failed = 0;
let confirmed = 0;
let unrecoverable = 0;
let slowestMs = 0;
for (let seed = first; seed < first + count; seed += 1) {
  const outcome = simulate(seed, variant);
  confirmed += outcome.confirmed;
  slowestMs = Math.max(slowestMs, outcome.settledInMs);
  if (outcome.violation !== undefined) {
    failed += 1;
    console.log(describeFailure(seed, outcome.violation));
  } else if (outcome.settledInMs < 0) unrecoverable += 1;
}
const seconds = (performance.now() - beganMs) / 1_000;
console.log(
  `${count} runs, ${failed} failed, ${unrecoverable} without enough replicas to recover; ` +
    `${confirmed} writes confirmed; slowest settled in ${Math.round(slowestMs)} ms; ${seconds.toFixed(1)} s`,
);
process.exitCode = failed === 0 ? 0 : 1;
