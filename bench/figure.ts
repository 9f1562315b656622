import type { LargeStore } from './large-store.js';
import type { LoadGenerator } from './load.js';

/** One comparison: the app, its baseline, and the first divided by the second. */
export interface Round {
  readonly app: number;
  readonly baseline: number;
  readonly ratio: number;
}

/** What a measurement is given. */
export interface Bench {
  /** On the project's own disk; gone when the bench ends. */
  readonly directory: string;
  /** Where the project's compiled baselines are. */
  readonly baselines: string;
  /** The app's program, which does not change while the bench runs. */
  readonly program: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly load: LoadGenerator;
  readonly largeStore: LargeStore;
  /** Books, items, users and orders beside the customers. */
  readonly largeShop: LargeStore;
}

/** One line of the table. */
export interface Figure {
  readonly name: string;
  readonly title: string;
  readonly unit: 'requests/s' | 'records/s' | 'ms' | 'us' | 'MiB';
  /** Which ratios are good. */
  readonly better: 'higher' | 'lower';
  readonly must: number;
  readonly aim: number;
  /** Rejects with WrongAnswer when the app did not do what it is timed for. */
  measure(bench: Bench): Promise<readonly Round[]>;
}

/** Both sides once per round, taking turns in who goes first, so that drift of the machine cancels out. */
export async function interleave(
  rounds: number,
  app: () => Promise<number>,
  baseline: () => Promise<number>,
): Promise<readonly Round[]> {
  const measured: Round[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const isAppFirst = round % 2 === 0;
    const first = await (isAppFirst ? app : baseline)();
    const second = await (isAppFirst ? baseline : app)();
    const [ofApp, ofBaseline] = isAppFirst ? [first, second] : [second, first];
    measured.push({ app: ofApp, baseline: ofBaseline, ratio: ofApp / ofBaseline });
  }
  return measured;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
