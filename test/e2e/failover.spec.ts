import { afterEach, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { statusSchema, type SupervisorStatus } from '../../src/protocols/failover/index.js';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';
import { runToEnd, StartProcess } from '../support/start-process.js';

interface Note {
  readonly pid: number;
  readonly url: string;
}

const WITHIN = { withinMs: 90_000, everyMs: 100 };
const TWO = { STANDBY_PORT: '0', GATEWAY_PORT: '0' };

/** The real processes of "npm start": two apps and a gateway, without replicas. */
describe('npm start with two apps and a gateway', () => {
  const directory = temporaryDirectory();

  afterEach(async () => {
    const stopped = await runToEnd('stop', directory, { args: ['--force'] });
    removeDirectory(directory);
    expect(stopped.code).toBe(0);
  });

  const noteIn = (name: string): Note => JSON.parse(readFileSync(join(directory, name), 'utf8')) as Note;

  async function status(): Promise<SupervisorStatus> {
    const response = await fetch(`${noteIn('supervisor.json').url}/status`);
    return statusSchema.parse(await response.json());
  }

  function whole(): Promise<SupervisorStatus> {
    return eventually(async () => {
      const found = await status();
      expect(found.processes.map(({ role }) => role).sort()).toEqual(['active', 'gateway', 'standby']);
      return found;
    }, WITHIN);
  }

  it('given that the active app is killed and then its successor is held, under writes through the gateway, fails none, doubles none and loses none', async () => {
    const started = new StartProcess('start', directory, TWO);
    await started.prints(/To stop/);
    await whole();
    const gateway = noteIn('gateway.json').url;
    const titles: string[] = [];
    const failures: string[] = [];
    let isOver = false;
    const write = async (client: number): Promise<void> => {
      for (let count = 0; !isOver; count += 1) {
        const title = `${client}-${count}`;
        const response = await fetch(`${gateway}/books`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ title, author: 'Lessing', price: 9.5, quantity: 1 }),
        }).catch(String);
        if (typeof response === 'string' || response.status !== 201) {
          failures.push(`${title}: ${typeof response === 'string' ? response : await response.text()}`);
        } else {
          await response.arrayBuffer();
          titles.push(title);
        }
      }
    };
    const clients = [1, 2].map(write);
    try {
      for (const [signal, cause] of [
        ['SIGKILL', 'died'],
        ['SIGSTOP', 'hung'],
      ] as const) {
        const before = titles.length;
        await eventually(() => expect(titles.length).toBeGreaterThan(before + 10), WITHIN);
        const { pid } = noteIn('app.json');
        process.kill(pid, signal);
        await eventually(async () => expect((await status()).failovers.at(-1)).toMatchObject({ cause }), WITHIN);
        await whole();
        await eventually(() => expect(noteIn('app.json').pid).not.toBe(pid), WITHIN);
        const after = titles.length;
        await eventually(() => expect(titles.length).toBeGreaterThan(after + 10), WITHIN);
      }
    } finally {
      isOver = true;
      await Promise.all(clients);
    }

    expect(failures).toEqual([]);
    const stored: string[] = [];
    for (let after = 0; ;) {
      const answer = await fetch(`${gateway}/books?limit=100&after=${after}`);
      const page = (await answer.json()) as { readonly id: number; readonly title: string }[];
      stored.push(...page.map(({ title }) => title));
      after = page.at(-1)?.id ?? after;
      if (page.length < 100) break;
    }
    const written = stored.filter((title) => /^\d-\d+$/.test(title));
    expect(written.sort()).toEqual(titles.sort());
    expect((await status()).failovers).toHaveLength(2);
    // A standby that answers its echo late on a busy machine is shown as suspect meanwhile.
    const shown = await eventually(async () => {
      const asked = await runToEnd('status', directory, TWO);
      expect(asked.printed).toMatch(/App [AB]\s+│ standby\s+│ healthy/);
      return asked;
    }, WITHIN);
    expect(shown.printed).toMatch(
      /Failovers:\n.* App [AB] died: noticed .* served .* later; a standby waited .* later/,
    );
  });
});
