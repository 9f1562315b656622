import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { rounds } from '../support/long-form.js';

const CLIENTS = 20;
const ROUNDS = rounds(3, 6);
const MAX_ANSWERS_IN_A_ROUND = 120;
/** Small, so that kills also meet snapshots and new segments. */
const ENVIRONMENT = { SNAPSHOT_EVERY_BYTES: '20000', LOG_LEVEL: 'silent' };
const TEST_TIMEOUT_MS = 300_000;

interface Shown {
  readonly id: number | string;
  readonly firstname: string;
}

/** One user that one client wants, with a name and a key that nobody else uses. */
interface Wanted {
  readonly name: string;
  readonly body: string;
}

/** Undefined when no answer came: it may be done or not. */
async function create(url: string, { name, body }: Wanted): Promise<{ status: number; id: number } | undefined> {
  try {
    const headers = { 'content-type': 'application/json', 'idempotency-key': name };
    const response = await fetch(`${url}/sql_mongo/users`, { method: 'POST', headers, body });
    const { id } = (await response.json()) as { id: number };
    return { status: response.status, id };
  } catch {
    return undefined;
  }
}

async function read(url: string, path: string): Promise<Shown | undefined> {
  const response = await fetch(url + path);
  const body = (await response.json()) as Shown;
  return response.status === 200 ? body : undefined;
}

describe('kill -9 of the app under clients that create users in both stores', () => {
  let directory: string;
  let app: AppProcess;

  beforeEach(() => {
    directory = temporaryDirectory();
  });

  afterEach(async () => {
    await app.kill();
    removeDirectory(directory);
  });

  it(
    `${String(ROUNDS)} times on the same data: each user is in both stores or in neither, and no id is allotted twice`,
    async () => {
      const given = new Map<number, string>();
      const open: Wanted[] = [];
      let made = 0;
      let answers = 0;
      let leftOpen = 0;
      const note = (wanted: Wanted, answer: { status: number; id: number }): void => {
        answers += 1;
        expect([answer.status, given.get(answer.id) ?? wanted.name]).toEqual([201, wanted.name]);
        given.set(answer.id, wanted.name);
      };
      app = await AppProcess.start(directory, ENVIRONMENT);
      for (let round = 1; round <= ROUNDS; round += 1) {
        const enough = answers + 1 + Math.floor(Math.random() * MAX_ANSWERS_IN_A_ROUND);
        let killed: Promise<unknown> | undefined;
        const client = async (): Promise<void> => {
          while (killed === undefined) {
            made += 1;
            const name = `user-${String(made)}`;
            const wanted = { name, body: JSON.stringify({ firstname: name, lastname: 'x' }) };
            const answer = await create(app.url, wanted);
            if (answer === undefined) open.push(wanted);
            else note(wanted, answer);
            if (answers >= enough) killed ??= app.kill();
          }
        };
        await Promise.all(Array.from({ length: CLIENTS }, client));
        await killed;
        leftOpen += open.length;

        app = await AppProcess.start(directory, ENVIRONMENT);
        for (const wanted of open.splice(0)) {
          const answer = await create(app.url, wanted);
          expect(answer).toMatchObject({ status: 201 });
          note(wanted, answer!);
        }
        for (let id = 1; id <= Math.max(...given.keys()) + CLIENTS; id += 1) {
          const sql = await read(app.url, `/sql/users/${String(id)}`);
          const document = await read(app.url, `/nosql/users/${String(id)}`);
          expect([id, sql?.firstname, document?.firstname]).toEqual([id, given.get(id), given.get(id)]);
        }
      }
      expect(given.size).toBe(made);
      expect(leftOpen).toBeGreaterThan(0);
    },
    TEST_TIMEOUT_MS,
  );
});
