import Table from 'cli-table3';
import type { Difference } from '../../config/index.js';
import { type ChildExit, type FileLayout, readRunFile, type RunNote } from '../../platform/nodes/index.js';
import type { ManagedProcess, ManagedProcesses } from './managed-processes.js';
import type { Message } from './process-kind.js';
import { detectionMs, type HealthChange, type Takeover, takeoverMs } from '../../protocols/failover/index.js';
import type { SupervisorNotice } from './supervisor-core.js';

type AllUp = Extract<SupervisorNotice, { kind: 'all-up' }>;
type ChildNotice = Extract<SupervisorNotice, { kind: 'child' }>['notice'];

/** A refusal of Bifolio, `code: what is wrong and what to do`, needs no more words. */
const CODED = /^[a-z-]+: /;

/** `needsKey`: clients must send one of API_KEYS. */
export function messageFor(
  notice: SupervisorNotice,
  processes: ManagedProcesses,
  layout: FileLayout,
  needsKey: boolean,
): Message {
  switch (notice.kind) {
    case 'child': {
      const managed = processes.get(notice.name);
      if (!managed) throw new Error(`Unknown process ${notice.name}`);
      return messageOf(managed, notice.notice);
    }
    case 'waiting': {
      const reasonOf = (name: string): string => {
        const reason = processes.get(name)?.waitsFor;
        return reason === undefined ? inSentence(name) : `${inSentence(name)} (${reason})`;
      };
      return information(`Waiting for ${notice.names.map(reasonOf).join(', ')} ...`);
    }
    case 'all-up':
      return information(addressTable(notice.children, processes, layout, needsKey));
    case 'stopping':
      return information('Stopping ...');
    case 'stopped':
      return information('Stopped.');
  }
}

function messageOf(managed: ManagedProcess, notice: ChildNotice): Message {
  const { name, log } = managed;
  switch (notice.kind) {
    case 'ready':
      return information(`${name} is back at ${notice.url} (pid ${String(notice.pid)}).`);
    case 'slow': {
      const reason = managed.waitsFor === undefined ? '' : `: ${managed.waitsFor}`;
      return information(
        `${name} is not ready after ${seconds(notice.afterMs)}${reason}; still waiting. Log file: ${log}`,
      );
    }
    case 'died': {
      const again = `Starting it again in ${seconds(notice.retryInMs)} ...`;
      return trouble(`${name} ${endingOf(notice.exit, name)}. ${again}`);
    }
    case 'gave-up':
      return trouble(givingUp(managed, notice));
    case 'killed': {
      const kept = managed.kind.isCache === true ? '' : ' Everything that it confirmed is kept.';
      return trouble(`${name} did not stop within ${seconds(notice.afterMs)} and was killed.${kept}`);
    }
  }
}

export function hungMessage({ name, reason = 'did not echo' }: Pick<HealthChange, 'name' | 'reason'>): Message {
  return trouble(`${name} ${reason} and is killed.`);
}

export function takenOverMessage(takeover: Takeover): Message | undefined {
  const { of, by, servedAtMs, restoredAtMs } = takeover;
  if (by === undefined || servedAtMs === undefined) return undefined;
  if (restoredAtMs !== undefined) return by === of ? undefined : information('A standby waits again.');
  const detection = `noticed within ${milliseconds(detectionMs(takeover))}`;
  const after = `serves ${milliseconds(takeoverMs(takeover) ?? 0)} later`;
  return by === of ? undefined : information(`${by} took over from ${inSentence(of)}: ${detection}, ${after}.`);
}

export function alreadyRunning(app: { readonly url: string; readonly pid: number }): string {
  return `Bifolio is already running at ${app.url} (pid ${String(app.pid)}). "npm stop" stops it.`;
}

/** Shows no value of a secret. */
export function otherSettings(app: RunNote, differences: readonly Difference[]): string {
  const named = differences.map(({ name, inForce, wanted }) =>
    inForce === wanted ? `${name} is another one` : `${name} is ${inForce ?? 'not set'}, not ${wanted ?? 'unset'}`,
  );
  const remedy = '"npm stop" and "npm start" put yours in force';
  return `Bifolio runs at ${app.url} (pid ${String(app.pid)}) with other settings: ${named.join('; ')}. ${remedy}.`;
}

export function watchedAgain(adopted: ReadonlyMap<string, RunNote>): string {
  const names = [...adopted].map(([name, { pid }]) => `${name} (pid ${String(pid)})`);
  return `Watching again what an earlier "npm start" left running: ${names.join(', ')}.`;
}

const ACCESS: [string, string] = [
  'Access',
  'send a key of API_KEYS as "X-Api-Key: <key>" or "Authorization: Bearer <key>"; in Swagger UI press "Authorize"',
];

function addressTable(
  children: AllUp['children'],
  processes: ManagedProcesses,
  layout: FileLayout,
  needsKey: boolean,
): string {
  const withoutRules = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };
  const table = new Table({ style: { head: [], border: [] }, chars: withoutRules });
  const url = addressToTry(children, processes, layout) ?? '';
  table.push(
    ...[...processes.values()].flatMap((managed) => rowsOf(managed, children[managed.name])),
    ['Data', layout.dataDirectory],
    ['Log', layout.app.log],
    ...(needsKey ? [ACCESS] : []),
    ['To try', `curl ${needsKey ? '-H "X-Api-Key: <key>" ' : ''}${url}/books`],
    ['To stop', 'Ctrl-C, or "npm stop" in another terminal'],
  );
  return `Bifolio is ready.\n${table.toString()}`;
}

/** The gateway, where one runs; else the active app. */
function addressToTry(
  children: AllUp['children'],
  processes: ManagedProcesses,
  { app, gateway }: FileLayout,
): string | undefined {
  const urlOf = (path: string): string | undefined =>
    [...processes.values()]
      .map(({ name, runFile }) => (runFile.path === path ? children[name]?.url : undefined))
      .find(Boolean);
  const apps = [...processes.values()].filter(({ watching }) => watching?.isApp);
  const active = apps.length === 1 ? urlOf(app.runFile.path) : readRunFile(app.runFile.path)?.url;
  return urlOf(gateway.runFile.path) ?? active;
}

function rowsOf(managed: ManagedProcess, child: AllUp['children'][string] | undefined): [string, string][] {
  const { url, failure } = child ?? {};
  const reason = failure && `NOT RUNNING: ${failure.complaint ?? endingOf(failure, managed.name)},`;
  return managed.rows(url, url ?? reason ?? 'not ready yet,').map(([label, text]) => [label, text]);
}

function givingUp(
  { name, log }: ManagedProcess,
  { exit, isFirst, attempts }: Extract<ChildNotice, { kind: 'gave-up' }>,
): string {
  const { complaint } = exit;
  if (isFirst && complaint !== undefined && CODED.test(complaint)) return complaint;
  const count = attempts > 1 ? `, ${String(attempts)} starts in a row failed` : '';
  return `Gave up: ${inSentence(name)} ${endingOf(exit, name)}${count}. Log file: ${log}`;
}

function endingOf({ pid, code, signal, complaint }: ChildExit, name: string): string {
  const shownPid = pid === undefined || name.endsWith(')') ? '' : `(pid ${String(pid)}) `;
  const how =
    signal !== null ? `was ended by ${signal}` : code !== null ? `ended with exit code ${String(code)}` : 'ended';
  return `${shownPid}${how}${complaint === undefined ? '' : ` (${complaint})`}`;
}

function inSentence(name: string): string {
  return name.replace(/^The /, 'the ');
}

function milliseconds(durationMs: number): string {
  return `${String(Math.round(durationMs))} ms`;
}

function seconds(durationMs: number): string {
  return `${String(durationMs / 1_000)} s`;
}

function information(text: string): Message {
  return { text, isTrouble: false };
}

function trouble(text: string): Message {
  return { text, isTrouble: true };
}
