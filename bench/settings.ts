/** As scripts/bench.mjs has read them from its command line. */
export interface Settings {
  /** Names of figures; empty for all. */
  readonly only: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  /** Of the app, instead of the one that was built. */
  readonly program: string;
  /** The app of another build; given, the builds are compared instead of measuring the figures of the project. */
  readonly against?: string;
  readonly generator: string;
}

/** `figuresOf` names the figures there are, by what `against` is. Throws an Error that says what is wrong. */
export function readSettings(json: string, figuresOf: (against: string | undefined) => readonly string[]): Settings {
  const settings = JSON.parse(json) as Settings;
  const figures = figuresOf(settings.against);
  const unknown = settings.only.filter((name) => !figures.includes(name));
  if (unknown.length > 0) throw new Error(`unknown figure ${unknown.join(', ')}: use ${figures.join(', ')}`);
  return settings;
}
