import { type Figure, median, type Round } from './figure.js';
import type { Machine } from './machine.js';

export type Verdict = 'reached aim' | 'reached must' | 'below' | 'wrong';

/** A figure with what came out. `wrong` says what the app did wrong; there are no rounds then. */
export interface Row {
  readonly figure: Omit<Figure, 'measure'>;
  readonly rounds: readonly Round[];
  readonly wrong: string | undefined;
}

export interface RowSummary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly app: number;
  readonly baseline: number;
  readonly verdict: Verdict;
}

export interface Report {
  readonly machine: Machine;
  readonly generator: string;
  /** Printed and drawn with the figures: what makes them less than they seem. */
  readonly notes: readonly string[];
  readonly rows: readonly Row[];
}

export function summarise({ figure, rounds, wrong }: Row): RowSummary {
  const ratios = rounds.map(({ ratio }) => ratio);
  const middle = median(ratios);
  return {
    median: middle,
    min: Math.min(...ratios),
    max: Math.max(...ratios),
    app: median(rounds.map(({ app }) => app)),
    baseline: median(rounds.map(({ baseline }) => baseline)),
    verdict: wrong === undefined ? verdictOf(figure, middle) : 'wrong',
  };
}

function verdictOf({ better, must, aim }: Row['figure'], ratio: number): Verdict {
  const reaches = (bound: number): boolean => (better === 'higher' ? ratio >= bound : ratio <= bound);
  if (reaches(aim)) return 'reached aim';
  return reaches(must) ? 'reached must' : 'below';
}

export function tableOf({ machine, generator, notes, rows }: Report): string {
  const lines = [
    ['path', 'ratio', 'min..max', 'must', 'aim', 'verdict', 'app', 'baseline'],
    ...rows.map((row) => [row.figure.title, ...cellsOf(row)]),
  ];
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const laidOut = lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  laidOut.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '));
  const wrong = rows
    .filter((row) => row.wrong !== undefined)
    .map((row) => `WRONG ${row.figure.name}: ${row.wrong ?? ''}`);
  const { cores, cpu, node, date, commit } = machine;
  const index = `${cores} x ${cpu}, Node ${node}, ${generator}, ${date}${commit === undefined ? '' : `, commit ${commit}`}`;
  return [...laidOut.map((line) => line.trimEnd()), ...wrong, ...notes.map((note) => `Note: ${note}`), index].join(
    '\n',
  );
}

function cellsOf(row: Row): readonly string[] {
  const { figure } = row;
  const sign = figure.better === 'higher' ? '>=' : '<=';
  const bounds = [`${sign} ${String(figure.must)}`, `${sign} ${String(figure.aim)}`];
  if (row.wrong !== undefined) return ['-', '-', ...bounds, 'wrong', '-', '-'];
  const { median: middle, min, max, verdict, app, baseline } = summarise(row);
  return [
    ratioText(middle),
    `${ratioText(min)}..${ratioText(max)}`,
    ...bounds,
    verdict,
    `${amountText(app)} ${figure.unit}`,
    `${amountText(baseline)} ${figure.unit}`,
  ];
}

export function ratioText(ratio: number): string {
  return ratio.toFixed(2);
}

function amountText(amount: number): string {
  return Math.round(amount).toLocaleString('en');
}

/** Everything that was measured, round by round. */
export function jsonOf({ machine, generator, notes, rows }: Report): string {
  const figures = rows.map((row) => ({
    ...row.figure,
    ...(row.wrong === undefined ? summarise(row) : { verdict: 'wrong', wrong: row.wrong }),
    rounds: row.rounds,
  }));
  return `${JSON.stringify({ machine, generator, notes, figures }, undefined, 2)}\n`;
}
