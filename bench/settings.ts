import { parseArgs } from 'node:util';

const DEFAULT_ROUNDS = 5;
const SECONDS = 3;

export interface Settings {
  /** Names of figures; empty for all. */
  readonly only: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  /** Of the app, instead of the one that was built. */
  readonly program: string;
  /** The app of another build; given, the builds are compared instead of measuring the figures of the project. */
  readonly against: string | undefined;
  readonly generator: string;
}

export const USAGE = `npm run bench -- [--only <name>[,<name>...]] [--rounds <n>] [--seconds <s>] [--program <file>] [--against <file>] [--generator wrk|autocannon]`;

/** `figuresOf` names the figures there are, by what `against` is. Throws an Error that says what is wrong. */
export function parseSettings(
  words: readonly string[],
  figuresOf: (against: string | undefined) => readonly string[],
): Settings {
  const { values } = parseArgs({
    args: [...words],
    options: {
      only: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string', default: String(DEFAULT_ROUNDS) },
      seconds: { type: 'string', default: String(SECONDS) },
      program: { type: 'string', default: 'dist/bundle/api.mjs' },
      against: { type: 'string' },
      generator: { type: 'string', default: 'wrk' },
    },
  });
  const figures = figuresOf(values.against);
  const only = values.only.flatMap((names) => names.split(','));
  const unknown = only.filter((name) => !figures.includes(name));
  if (unknown.length > 0) throw new Error(`no figure is named ${unknown.join(', ')}: ${figures.join(', ')}`);
  if (!['wrk', 'autocannon'].includes(values.generator)) throw new Error('--generator must be wrk or autocannon');
  return {
    only,
    rounds: count('--rounds', values.rounds),
    seconds: count('--seconds', values.seconds),
    program: values.program,
    against: values.against,
    generator: values.generator,
  };
}

function count(name: string, text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new Error(`${name} must be a whole number from 1`);
  return Number(text);
}
