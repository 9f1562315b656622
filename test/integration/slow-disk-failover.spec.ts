import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { statusSchema, type SupervisorStatus } from '../../src/protocols/failover/index.js';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';
import { runToEnd, StartProcess } from '../support/start-process.js';

const WITHIN = { withinMs: 90_000, everyMs: 50 };
const SLOW_FSYNC = resolve('test/support/slow-fsync.mjs');
const WRITERS = 4;

/** "npm start" with two apps and a gateway, on a disk whose fsync can be made to answer after 3 seconds. */
describe('a disk that answers each fsync after three seconds', () => {
  let directory: string;
  let slow: string;
  let settings: Readonly<Record<string, string>>;

  beforeEach(() => {
    directory = temporaryDirectory();
    slow = join(directory, 'the disk is slow');
    settings = {
      ...{ STANDBY_PORT: '0', GATEWAY_PORT: '0', WRITE_DEADLINE_MS: '9000' },
      ...{ NODE_OPTIONS: `--import=${SLOW_FSYNC}`, SLOW_FSYNC: slow },
    };
  });

  afterEach(async () => {
    rmSync(slow, { force: true });
    await runToEnd('stop', directory, { args: ['--force'] });
    removeDirectory(directory);
  });

  const urlIn = (name: string): string =>
    (JSON.parse(readFileSync(join(directory, name), 'utf8')) as { readonly url: string }).url;
  const status = async (): Promise<SupervisorStatus> =>
    statusSchema.parse(await (await fetch(`${urlIn('supervisor.json')}/status`)).json());
  const active = async () => {
    const { processes } = await status();
    expect(processes.map(({ role }) => role).sort()).toEqual(['active', 'gateway', 'standby']);
    return processes.find(({ role }) => role === 'active')!;
  };

  it('makes the active app suspect, with a reason that names the file; nobody is killed, and every write is answered', async () => {
    const started = new StartProcess('start', directory, settings);
    await started.prints(/To stop/);
    const before = await eventually(async () => {
      const found = await active();
      expect(found.health).toBe('healthy');
      return found;
    }, WITHIN);
    const pids = (await status()).processes.map(({ pid }) => pid).sort();
    const gateway = urlIn('gateway.json');
    const answers: number[] = [];
    let isOver = false;
    const write = async (): Promise<void> => {
      while (!isOver) {
        const response = await fetch(`${gateway}/customers`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ name: 'Doris', email: 'doris@example.org' }),
        });
        await response.arrayBuffer();
        answers.push(response.status);
      }
    };
    const writing = Promise.all(Array.from({ length: WRITERS }, write));
    try {
      writeFileSync(slow, '');
      const ready = await eventually(async () => {
        const response = await fetch(`${urlIn('app.json')}/health/ready`);
        expect(response.status).toBe(503);
        return (await response.json()) as { readonly code: string; readonly detail: string };
      }, WITHIN);
      expect(ready.code).toBe('not-ready');
      expect(ready.detail).toMatch(/^files is down: the fsync of \S+ has not returned for more than a second/);
      await eventually(async () => {
        const { health, reason } = await active();
        expect([health, reason]).toEqual(['suspect', expect.stringContaining('the fsync of ')]);
      }, WITHIN);
      const answered = answers.length;
      await eventually(() => expect(answers.length).toBeGreaterThan(answered + WRITERS), WITHIN);

      rmSync(slow);
      await eventually(async () => expect((await active()).health).toBe('healthy'), WITHIN);
    } finally {
      isOver = true;
      rmSync(slow, { force: true });
      await writing;
    }
    const { failovers, processes } = await status();
    expect(failovers).toEqual([]);
    expect(processes.map(({ pid }) => pid).sort()).toEqual(pids);
    expect((await active()).pid).toBe(before.pid);
    expect(new Set(answers)).toEqual(new Set([201]));
  });
});
