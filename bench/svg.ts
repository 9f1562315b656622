import { ratioText, type Report, type Row, summarise, type Verdict } from './report.js';

const WIDTH = 760;
const LEFT = 24;
const CHART_WIDTH = 600;
const ROW_HEIGHT = 46;
const BAR_HEIGHT = 14;
const HEADING_HEIGHT = 44;
const GAP = 18;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .heading { font-weight: 600; font-size: 14px }
  .small { font-size: 11px; fill: #57606a }
  .track { fill: #eaeef2 }
  .good { fill: #2da44e } .fair { fill: #bf8700 } .bad { fill: #cf222e }
  .range { stroke: #24292f; stroke-width: 1.5 }
  .must { stroke: #24292f; stroke-width: 2 }
  .aim { stroke: #24292f; stroke-width: 2; stroke-dasharray: 2 2 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .small { fill: #9198a1 }
    .track { fill: #2a313c }
    .good { fill: #3fb950 } .fair { fill: #d29922 } .bad { fill: #f85149 }
    .range, .must, .aim { stroke: #e6edf3 }
  }`;

const COLOURS: Readonly<Record<Verdict, string>> = {
  'reached aim': 'good',
  'reached must': 'fair',
  below: 'bad',
  wrong: 'bad',
};

/** One bar per figure with its must and aim, on a transparent ground for light and dark pages. */
export function svgOf({ rows, notes, machine, generator }: Report): string {
  const parts: string[] = [];
  let top = 8;
  for (const better of ['higher', 'lower'] as const) {
    const group = rows.filter(({ figure }) => figure.better === better);
    if (group.length === 0) continue;
    const what = better === 'higher' ? 'Throughput against the baseline' : 'Time against the baseline';
    parts.push(text(LEFT, top + 18, `${what} (${better} is better)`, 'heading'));
    top += HEADING_HEIGHT;
    for (const row of group) {
      parts.push(bar(row, top, scaleOf(row, group)));
      top += ROW_HEIGHT;
    }
    top += GAP;
  }
  const index = `${String(machine.cores)} x ${machine.cpu}, Node ${machine.node}, ${generator}`;
  parts.push(text(LEFT, top, 'bar: median; thin line: min to max; solid mark: must; dashed mark: aim', 'small'));
  parts.push(text(LEFT, top + 16, `${index}, ${machine.date.slice(0, 10)}`, 'small'));
  notes.forEach((note, index) => parts.push(text(LEFT, top + 32 + 16 * index, note, 'small')));
  const height = top + 28 + 16 * notes.length;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>Bench figures as ratios to their baselines</title>`,
    `<style>${STYLE}\n</style>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

/** Pixels per 1. Throughputs share a scale; times each have their own, as 1.4 and 8 do not fit on one. */
function scaleOf(row: Row, group: readonly Row[]): number {
  const shown = row.figure.better === 'higher' ? group : [row];
  const largest = Math.max(
    ...shown.map(({ figure, rounds }) => Math.max(figure.must, figure.aim, ...rounds.map(({ ratio }) => ratio))),
  );
  return CHART_WIDTH / (largest * 1.05);
}

function bar(row: Row, top: number, scale: number): string {
  const { figure } = row;
  const y = top + 8;
  const middleY = y + BAR_HEIGHT / 2;
  const mark = (value: number, kind: 'must' | 'aim'): string =>
    `<line class="${kind}" x1="${at(value)}" x2="${at(value)}" y1="${y - 3}" y2="${y + BAR_HEIGHT + 3}"><title>${kind} ${value}</title></line>`;
  const at = (value: number): string => (LEFT + value * scale).toFixed(1);
  const parts = [
    text(LEFT, top, figure.title, ''),
    `<rect class="track" x="${LEFT}" y="${y}" width="${CHART_WIDTH}" height="${BAR_HEIGHT}" rx="3"/>`,
  ];
  if (row.wrong === undefined) {
    const { median, min, max, verdict } = summarise(row);
    parts.push(
      `<rect class="${COLOURS[verdict]}" x="${LEFT}" y="${y}" width="${(median * scale).toFixed(1)}" height="${BAR_HEIGHT}" rx="3"/>`,
      `<line class="range" x1="${at(min)}" x2="${at(max)}" y1="${middleY}" y2="${middleY}"/>`,
      text(LEFT + CHART_WIDTH + 12, y + 12, `${ratioText(median)} ${verdict}`, ''),
    );
  } else {
    parts.push(text(LEFT + CHART_WIDTH + 12, y + 12, 'wrong answer', ''));
  }
  parts.push(mark(figure.must, 'must'), mark(figure.aim, 'aim'));
  return parts.join('\n');
}

function text(x: number, y: number, content: string, kind: string): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x}" y="${y}"${kind === '' ? '' : ` class="${kind}"`}>${escaped}</text>`;
}
