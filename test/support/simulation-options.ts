/** What a simulation is asked for on its command line. */
export interface SimulationOptions<Variant> {
  readonly variant: Variant;
  readonly first: number;
  readonly count: number;
  /** Whether `--name` is there. */
  has(name: string): boolean;
}

/** `--seed 123` is one run, `--seeds 20000 --from 1` are many; `--bug '<name>'` plants a bug. Throws for one that is unknown. */
export function simulationOptions<Variant>(
  args: readonly string[],
  real: Variant,
  planted: Readonly<Record<string, Variant>>,
): SimulationOptions<Variant> {
  const option = (name: string): string | undefined => {
    const place = args.indexOf(`--${name}`);
    return place === -1 ? undefined : args[place + 1];
  };
  const bug = option('bug');
  const variant = bug === undefined ? real : planted[bug];
  if (!variant) throw new Error(`There is no such bug; there are: ${Object.keys(planted).join(', ')}.`);
  const one = option('seed');
  const first = Number(one ?? option('from') ?? 1);
  const count = one === undefined ? Number(option('seeds') ?? 2_000) : 1;
  return { variant, first, count, has: (name) => args.includes(`--${name}`) };
}
