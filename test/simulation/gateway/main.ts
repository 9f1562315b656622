import { simulationOptions } from '../../support/simulation-options.js';
import { describeFailure, simulate } from './simulate.js';
import { PLANTED, REAL } from './variant.js';

/** `npm run simulate -- --protocol gateway --seed 123` replays one run, `--seeds 20000 --from 1` tries many. `--bug '<name>'` plants a bug. */
const { variant, first, count } = simulationOptions(process.argv, REAL, PLANTED);

const beganMs = performance.now();
let failed = 0;
const met = new Map<string, number>();
for (let seed = first; seed < first + count; seed += 1) {
  const result = simulate(seed, variant);
  for (const [situation, times] of result.met) met.set(situation, (met.get(situation) ?? 0) + times);
  if (result.violation === undefined) continue;
  failed += 1;
  console.log(describeFailure(seed, result.violation));
}
const seconds = (performance.now() - beganMs) / 1_000;
const counts = [...met].map(([situation, times]) => `${times} ${situation}`).join(', ');
console.log(`${count} runs, ${failed} failed; ${counts}; ${seconds.toFixed(1)} s`);
process.exitCode = failed === 0 ? 0 : 1;
