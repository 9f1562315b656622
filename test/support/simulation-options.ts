/** What a simulation is asked for. */
export interface SimulationOptions<Variant> {
  readonly variant: Variant;
  readonly first: number;
  readonly count: number;
  readonly isCovered: boolean;
}

/** As scripts/simulate.mjs has read them from its command line. */
interface Given {
  readonly seeds: number;
  readonly from: number;
  readonly seed?: number;
  readonly bug?: string;
  readonly coverage?: true;
}

/** Ends the process for a bug that is unknown. */
export function simulationOptions<Variant>(
  [, , json = '{}']: readonly string[],
  real: Variant,
  planted: Readonly<Record<string, Variant>>,
): SimulationOptions<Variant> {
  const { seeds, from, seed, bug, coverage = false } = JSON.parse(json) as Given;
  const variant = bug === undefined ? real : planted[bug];
  if (!variant) {
    console.error(`There is no bug "${bug ?? ''}"; there are: ${Object.keys(planted).join(', ')}.`);
    process.exit(2);
  }
  return { variant, first: seed ?? from, count: seed === undefined ? seeds : 1, isCovered: coverage };
}
