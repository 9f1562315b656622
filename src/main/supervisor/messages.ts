import Table from 'cli-table3';
import type { Difference } from '../../config/index.js';
import type { ChildExit, NodeFiles, FileLayout, RunNote } from '../../platform/nodes/index.js';
import type { Notice } from './managed-process-core.js';
import type { SupervisorNotice } from './supervisor-core.js';

/** What a person reads. `isTrouble`: on standard error. */
export interface Message {
  readonly text: string;
  readonly isTrouble: boolean;
}

/** What the words about one child need, beside what happened to it. */
export interface ManagedProcess {
  readonly places: NodeFiles;
  /** Of a replica; undefined for the app. */
  readonly replica: { readonly number: number; readonly port: number } | undefined;
  /** What it said last that it waits for. */
  waitsFor: string | undefined;
}

export type ManagedProcesses = Readonly<Record<string, ManagedProcess>>;

/** The names by which children are watched are those by which they are called. */
export const APP = 'The app';
export function replicaName(number: number, port: number): string {
  return `Replica ${String(number)} (${String(port)})`;
}

/** A refusal of ours, `code: what is wrong and what to do`, says all there is to say. */
const CODED = /^[a-z-]+: /;

/** `needsKey`: callers must show one of API_KEYS. */
export function messageFor(
  notice: SupervisorNotice,
  processes: ManagedProcesses,
  places: FileLayout,
  needsKey: boolean,
): Message {
  switch (notice.kind) {
    case 'child': {
      const managed = processes[notice.name];
      if (!managed) throw new Error(`nobody is called ${notice.name}`);
      return messageOf(notice.name, managed, notice.notice);
    }
    case 'all-up':
      return information(addressTable(notice.children, processes, places, needsKey));
    case 'stopping':
      return information('Stopping ...');
    case 'stopped':
      return information('Stopped.');
  }
}

function messageOf(name: string, managed: ManagedProcess, notice: Notice): Message {
  const { log } = managed.places;
  switch (notice.kind) {
    case 'ready':
      return information(`${name} is back at ${notice.url} (pid ${String(notice.pid)}).`);
    case 'slow': {
      const reason = managed.waitsFor === undefined ? '' : `: ${managed.waitsFor}`;
      return information(`${name} is not ready after ${seconds(notice.afterMs)}${reason}; waiting on. Its log: ${log}`);
    }
    case 'died': {
      const again = `Starting it again in ${seconds(notice.retryInMs)} ...`;
      return trouble(`${name} ${endingOf(notice.exit, managed)}. ${again}`);
    }
    case 'gave-up':
      return trouble(givingUp(name, managed, notice));
    case 'killed':
      return trouble(
        `${name} did not stop within ${seconds(notice.afterMs)} and was killed. What it answered is kept.`,
      );
  }
}

export function alreadyRunning(app: { readonly url: string; readonly pid: number }): string {
  return `Bifolio is already running at ${app.url} (pid ${String(app.pid)}). "npm stop" stops it.`;
}

/** Of a secret it is only said that it is another one. */
export function otherSettings(app: RunNote, differences: readonly Difference[]): string {
  const named = differences.map(({ name, inForce, wanted }) =>
    inForce === wanted ? `${name} is another one` : `${name} is ${inForce ?? 'not set'}, not ${wanted ?? 'unset'}`,
  );
  const remedy = '"npm stop" and "npm start" put yours in force';
  return `Bifolio runs at ${app.url} (pid ${String(app.pid)}) with other settings: ${named.join('; ')}. ${remedy}.`;
}

export function watchedAgain(adopted: ReadonlyMap<string, RunNote>): string {
  const names = [...adopted].map(([name, { pid }]) => `${name} (pid ${String(pid)})`);
  return `An earlier "npm start" left these running without a supervisor; they are watched again: ${names.join(', ')}.`;
}

const ACCESS: [string, string] = [
  'Access',
  'send a key of API_KEYS as "X-Api-Key: <key>" or "Authorization: Bearer <key>"; in Swagger UI press "Authorize"',
];

function addressTable(
  children: Extract<SupervisorNotice, { kind: 'all-up' }>['children'],
  processes: ManagedProcesses,
  places: FileLayout,
  needsKey: boolean,
): string {
  const withoutRules = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };
  const table = new Table({ style: { head: [], border: [] }, chars: withoutRules });
  const url = children[APP]?.url ?? '';
  table.push(
    ['API', url],
    ['Swagger UI', `${url}/docs`],
    ['OpenAPI', `${url}/docs-json`],
    ['Health', `${url}/health/ready`],
    ['Metrics', `${url}/metrics`],
    ...Object.entries(children).flatMap(([name, child]) => replicaRow(processes[name], child)),
    ['Data', places.dataDirectory],
    ['Log', places.app.log],
    ...(needsKey ? [ACCESS] : []),
    ['To try', `curl ${needsKey ? '-H "X-Api-Key: <key>" ' : ''}${url}/books`],
    ['To stop', 'Ctrl-C, or "npm stop" in another terminal'],
  );
  return `Bifolio is ready.\n${table.toString()}`;
}

function replicaRow(
  managed: ManagedProcess | undefined,
  { url, failure }: { readonly url: string | undefined; readonly failure?: ChildExit },
): [string, string][] {
  if (!managed?.replica) return [];
  const { places, replica } = managed;
  const state =
    url ?? (failure ? `NOT RUNNING: ${failure.complaint ?? endingOf(failure, managed)},` : 'not ready yet,');
  return [[`Replica ${String(replica.number)}`, `${state} in ${places.directory}`]];
}

function givingUp(
  name: string,
  { places, replica }: ManagedProcess,
  { exit, isFirst, attempts }: Extract<Notice, { kind: 'gave-up' }>,
): string {
  const { complaint } = exit;
  if (isFirst && complaint !== undefined && CODED.test(complaint)) {
    if (!replica || !complaint.startsWith('port-taken: ')) return complaint;
    const which = `port ${String(replica.port)}, for replica ${String(replica.number)},`;
    return `port-taken: ${which} is taken by another program: stop it, or set REPLICA_PORTS to free ones`;
  }
  const count = attempts > 1 ? `, ${String(attempts)} starts in a row failed` : '';
  const lowerCaseName = replica ? name : 'the app';
  return `Gave up: ${lowerCaseName} ${endingOf(exit, { replica })}${count}. Its log: ${places.log}`;
}

/** A replica is told from the others by its port, which is enough. */
function endingOf({ pid, code, signal, complaint }: ChildExit, { replica }: Pick<ManagedProcess, 'replica'>): string {
  const who = pid === undefined || replica ? '' : `(pid ${String(pid)}) `;
  const how =
    signal !== null ? `was ended by ${signal}` : code !== null ? `ended with exit code ${String(code)}` : 'ended';
  return `${who}${how}${complaint === undefined ? '' : ` (${complaint})`}`;
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
