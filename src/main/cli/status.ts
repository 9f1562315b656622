import { logPositionText } from '../../kernel/index.js';
import Table from 'cli-table3';
import { z } from 'zod';
import { loadConfig } from '../../config/index.js';
import {
  fileLayoutOf,
  getJson,
  type JsonAnswer,
  type Presence,
  presenceOf,
  readerRunFiles,
} from '../../platform/nodes/index.js';
import { statusSchema as supervisorSchema } from '../../protocols/failover/index.js';
import { supervisorText } from './supervisor-text.js';

const ANSWER_WITHIN_MS = 5_000;

/** The shown part of `GET /replication/status`. */
const statusSchema = z.object({
  epoch: z.number(),
  position: z.object({ epoch: z.number(), seq: z.number() }),
  waiting: z.string().nullish(),
  writeConcern: z.string(),
  minInSync: z.number(),
  inSync: z.number(),
  replicas: z.array(
    z.object({
      name: z.string(),
      state: z.string(),
      position: z.number().nullable(),
      lag: z.number().nullable(),
      lastError: z.string().nullable(),
    }),
  ),
});
export type ReplicationStatus = z.infer<typeof statusSchema>;

export interface StatusOutput {
  readonly exitCode: 0 | 1;
  readonly text: string;
}

export async function showStatus(): Promise<StatusOutput> {
  const config = loadConfig();
  const { exitCode, text } = await appStatus(config);
  const supervisor = await supervisorStatus(config);
  const readers = await Promise.all(readerRunFiles(config.storage.dataDirectory).map(presenceOf));
  return { exitCode, text: [text, ...readers.flatMap(readerText), ...supervisor].join('\n') };
}

/** What the supervisor reports about all processes; empty where none runs. */
async function supervisorStatus(config: ReturnType<typeof loadConfig>): Promise<readonly string[]> {
  const supervisor = await presenceOf(fileLayoutOf(config.storage).supervisorRunFile);
  if (supervisor.state === 'gone') return [];
  if (supervisor.state === 'silent') return [`The supervisor (pid ${String(supervisor.pid)}) does not answer.`];
  const { url } = supervisor;
  const answer = await getJson(new URL('/status', url).href, { timeoutMs: ANSWER_WITHIN_MS, headers: keyOf(config) });
  const { data } = supervisorSchema.safeParse(answer?.body);
  return [data ? supervisorText(url, data) : `The supervisor at ${url} did not report its status.`];
}

function keyOf({ http, client }: Pick<ReturnType<typeof loadConfig>, 'http' | 'client'>): Record<string, string> {
  const apiKey = client.apiKey ?? http.apiKeys[0]?.key;
  return apiKey === undefined ? {} : { 'x-api-key': apiKey };
}

async function appStatus({ storage, http, client }: ReturnType<typeof loadConfig>): Promise<StatusOutput> {
  const app = await presenceOf(fileLayoutOf(storage).app.runFile);
  if (app.state === 'gone') return failed('Bifolio is not running. Start it with "npm start".');
  if (app.state === 'silent') return failed(`The app (pid ${String(app.pid)}) is running but does not answer.`);
  const answer = await getJson(new URL('/replication/status', app.url).href, {
    timeoutMs: ANSWER_WITHIN_MS,
    headers: keyOf({ http, client }),
  });
  return statusText(app.url, answer);
}

/** One line for a reader that runs. */
export function readerText(reader: Presence): readonly string[] {
  if (reader.state === 'gone') return [];
  const where = reader.state === 'answers' ? `at ${reader.url}` : 'that does not answer';
  return [`Reader ${where} (pid ${String(reader.pid)}).`];
}

export function statusText(url: string, answer: JsonAnswer | undefined): StatusOutput {
  const parsed = statusSchema.safeParse(answer?.body);
  if (answer?.status === 200 && parsed.success) return { exitCode: 0, text: tableOf(url, parsed.data) };
  if (answer?.status === 401) return failed(`The app at ${url} refuses the API key: set API_KEY to a key of the app.`);
  const what = answer === undefined ? 'did not report' : `answered ${String(answer.status)} instead of`;
  return failed(`The app at ${url} ${what} its replication status.`);
}

function tableOf(url: string, status: ReplicationStatus): string {
  const { epoch, position, writeConcern, minInSync, inSync, replicas, waiting } = status;
  const lines = [
    `Bifolio at ${url}: epoch ${String(epoch)}, position ${logPositionText(position)}.`,
    replicas.length === 0
      ? 'No replicas are configured.'
      : `${String(inSync)} of ${String(replicas.length)} replicas in sync, writes need ${String(minInSync)}; ` +
        `write concern ${writeConcern}.`,
  ];
  if (waiting) lines.push(`The app refuses writes: ${waiting}`);
  if (replicas.length === 0) return lines.join('\n');
  const table = new Table({
    head: ['Replica', 'State', 'Position', 'Lag', 'Last error'],
    style: { head: [], border: [] },
  });
  for (const { name, state, position: at, lag, lastError } of replicas) {
    table.push([name, state, at === null ? '?' : String(at), lag === null ? '?' : String(lag), lastError ?? '']);
  }
  return [...lines, table.toString()].join('\n');
}

function failed(text: string): StatusOutput {
  return { exitCode: 1, text };
}
