import Table from 'cli-table3';
import type { AppExit, Notice } from './core.js';
import type { Places } from './places.js';

/** What a person reads. `isTrouble`: on standard error. */
export interface Words {
  readonly text: string;
  readonly isTrouble: boolean;
}

/** A refusal of ours, `code: what is wrong and what to do`, says all there is to say. */
const CODED = /^[a-z-]+: /;

export function wordsFor(notice: Notice, places: Places): Words {
  switch (notice.kind) {
    case 'ready':
      if (notice.isFirst) return said(addressTable(notice.url, places));
      return said(`The app is back at ${notice.url} (pid ${String(notice.pid)}).`);
    case 'slow':
      return said(`The app is not ready after ${seconds(notice.afterMs)}; waiting on. Its log: ${places.appLog}`);
    case 'died':
      return trouble(`The app ${endingOf(notice.exit)}. Starting it again in ${seconds(notice.retryInMs)} ...`);
    case 'gave-up':
      return trouble(givingUp(notice, places));
    case 'stopping':
      return said('Stopping ...');
    case 'killed':
      return trouble(
        `The app did not stop within ${seconds(notice.afterMs)} and was killed. What it answered is kept.`,
      );
    case 'stopped':
      return said('Stopped.');
  }
}

export function alreadyRunning(app: { readonly url: string; readonly pid: number }): string {
  return `Bifolio is already running at ${app.url} (pid ${String(app.pid)}). "npm stop" stops it.`;
}

function addressTable(url: string, { dataDirectory, appLog }: Places): string {
  const withoutRules = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };
  const table = new Table({ style: { head: [], border: [] }, chars: withoutRules });
  table.push(
    ['API', url],
    ['Swagger UI', `${url}/docs`],
    ['OpenAPI', `${url}/docs-json`],
    ['Health', `${url}/health/ready`],
    ['Metrics', `${url}/metrics`],
    ['Data', dataDirectory],
    ['Log', appLog],
    ['To try', `curl ${url}/books`],
    ['To stop', 'Ctrl-C, or "npm stop" in another terminal'],
  );
  return `Bifolio is ready.\n${table.toString()}`;
}

function givingUp({ exit, isFirst, attempts }: Extract<Notice, { kind: 'gave-up' }>, { appLog }: Places): string {
  if (isFirst && exit.complaint !== undefined && CODED.test(exit.complaint)) return exit.complaint;
  const count = attempts > 1 ? `, ${String(attempts)} starts in a row failed` : '';
  return `Gave up: the app ${endingOf(exit)}${count}. Its log: ${appLog}`;
}

function endingOf({ pid, code, signal, complaint }: AppExit): string {
  const who = pid === undefined ? '' : `(pid ${String(pid)}) `;
  const how = signal === null ? `ended with exit code ${String(code)}` : `was ended by ${signal}`;
  return `${who}${how}${complaint === undefined ? '' : ` (${complaint})`}`;
}

function seconds(durationMs: number): string {
  return `${String(durationMs / 1_000)} s`;
}

function said(text: string): Words {
  return { text, isTrouble: false };
}

function trouble(text: string): Words {
  return { text, isTrouble: true };
}
