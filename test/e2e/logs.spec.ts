import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/ports.js';
import { runToEnd, StartProcess } from '../support/start-process.js';

const ABOVE_INFO = 30;
const KEY = 'an-operators-key-of-some-length';
const REFUSED = 600;

let directory: string;
let ports: string;

beforeEach(async () => {
  directory = temporaryDirectory();
  ports = (await Promise.all([freePort(), freePort(), freePort(), freePort()])).join(',');
});
afterEach(async () => {
  const stopped = await runToEnd('stop', directory, { args: ['--force'] });
  removeDirectory(directory);
  expect(stopped.code).toBe(0);
});

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly url?: string;
  readonly lines?: number;
  readonly status?: number;
}

function logged(): { readonly file: string; readonly text: string }[] {
  const logs = join(directory, 'logs');
  return readdirSync(logs).map((file) => ({ file, text: readFileSync(join(logs, file), 'utf8') }));
}

const linesIn = (text: string): Line[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (line.startsWith('{') ? (JSON.parse(line) as Line) : { level: Infinity, msg: line }));

async function start(environment: Readonly<Record<string, string>> = {}): Promise<StartProcess> {
  const started = new StartProcess('start', directory, { REPLICA_PORTS: ports, ...environment });
  await started.prints(/To stop/);
  return started;
}

describe('the logs of an app and four replicas', () => {
  it('given two starts, contain no line above info', async () => {
    for (const time of ['first', 'second']) {
      await start();
      expect((await runToEnd('stop', directory)).code).toBe(0);
      const all = logged();
      expect(all.map(({ file }) => file).sort()).toEqual([
        'app.log',
        ...[1, 2, 3, 4].map((n) => `replica-${String(n)}.log`),
      ]);
      for (const { file, text } of all) {
        expect(text).toContain('"msg":"listening"');
        expect([time, file, linesIn(text).filter(({ level }) => level > ABOVE_INFO)]).toEqual([time, file, []]);
      }
    }
  });

  it('given a flood of refused requests with long targets and keys, stay small and contain no key', async () => {
    const started = await start({ API_KEYS: `ops:operator:${KEY}`, RATE_LIMIT: 'off' });
    const url = /API\s+│ (http:\S+)/.exec(started.printed)?.[1] ?? '';
    const target = `${url}/books/${'x'.repeat(1_000)}?long=${'y'.repeat(5_000)}&key=${KEY}`;
    for (let sent = 0; sent < REFUSED; sent += 50) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => fetch(target, { method: 'DELETE' })));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    }
    const known = { 'x-api-key': KEY, 'x-request-id': KEY };
    expect((await fetch(`${url}/books/${KEY}`, { method: 'DELETE', headers: known })).status).toBe(400);
    await eventually(() => {
      const app = logged().find(({ file }) => file === 'app.log')?.text ?? '';
      const lines = linesIn(app).filter(({ msg, status }) => msg.startsWith('answered') && status !== 503);
      const shown = lines.filter(({ lines: count }) => count === undefined);
      const told = lines.reduce((sum, { lines: count }) => sum + (count ?? 0), 0);
      expect(shown.length + told).toBe(REFUSED + 1);
      expect(app.length).toBeLessThan(REFUSED * 200);
    });
    for (const { text } of logged()) expect(text).not.toContain(KEY);
  });
});
