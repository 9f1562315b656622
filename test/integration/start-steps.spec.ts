import { afterEach, describe, expect, it } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { pino } from 'pino';
import { parseConfig } from '../../src/config/index.js';
import { lockDirectory, type LockedDirectory, type Start } from '../../src/main/api/lock.js';
import { openStores, type OpenedStores } from '../../src/main/api/open.js';
import { serve } from '../../src/main/api/serve.js';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { RecordingProcessControl } from '../support/recording-process-control.js';
import { freePorts } from '../support/stand-in-fleet.js';

const directories: string[] = [];
const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  directories.splice(0).forEach(removeDirectory);
});

interface PlannedStart {
  readonly start: Start;
  readonly directory: string;
  readonly url: string;
}

async function planned(): Promise<PlannedStart> {
  const directory = temporaryDirectory();
  directories.push(directory);
  const [port = 0] = await freePorts(1);
  const config = parseConfig({
    ...{ PORT: String(port), DATA_DIR: directory, REPLICAS_DIR: `${directory}/replicas`, REPLICA_PORTS: '' },
    ...{ DATA_CHECK_EVERY_MS: '0' },
  });
  const start = { config, logger: pino({ level: 'silent' }), process: new RecordingProcessControl() };
  return { start, directory, url: `http://127.0.0.1:${String(port)}` };
}

async function locked({ start }: PlannedStart): Promise<LockedDirectory> {
  const held = await lockDirectory(start);
  ends.push(() => {
    held.release();
  });
  return held;
}

async function opened(plan: PlannedStart): Promise<OpenedStores> {
  const stores = await openStores(await locked(plan));
  ends.unshift(() => stores.close());
  return stores;
}

describe('keeps other processes out, has created only the lock file, and listens nowhere', () => {
  it('keeps other processes out, has created only the lock file, and listens nowhere', async () => {
    const plan = await planned();
    await locked(plan);

    await expect(lockDirectory(plan.start)).rejects.toMatchObject({ code: 'data-directory-locked' });
    expect(readdirSync(plan.directory).filter((name) => !name.startsWith('lock.db'))).toEqual([]);
    await expect(fetch(plan.url)).rejects.toThrow();
  });

  it('given up, leaves no trace, and the next start takes the lock', async () => {
    const plan = await planned();
    (await locked(plan)).release();

    await locked(plan);

    expect(readdirSync(plan.directory).filter((name) => !name.startsWith('lock.db'))).toEqual([]);
  });

  it('given the next steps, opens the stores without listening, then serves', async () => {
    const plan = await planned();
    const stores = await opened(plan);
    expect(readdirSync(plan.directory)).toEqual(expect.arrayContaining(['bookstore.db', 'documents']));
    await expect(fetch(plan.url)).rejects.toThrow();

    const app = await serve(stores);
    ends.splice(0, ends.length, () => app.close());

    expect(app.url).toBe(plan.url);
    expect((await fetch(`${app.url}/health/ready`)).status).toBe(200);
  });
});

describe('a start that is refused at its last step', () => {
  it('leaves no SQLite log beside the database', async () => {
    const plan = await planned();
    const other = await serve(await opened(await planned()));
    ends.splice(0, 2, () => other.close());
    const { port } = new URL(other.url);
    const { start } = plan;
    const config = { ...start.config, http: { ...start.config.http, port: Number(port) } };

    const stores = await opened({ ...plan, start: { ...start, config } });
    await expect(serve(stores)).rejects.toMatchObject({ code: 'port-taken' });

    expect(readdirSync(plan.directory).filter((name) => /-(?:wal|shm)$/.test(name))).toEqual([]);
  });
});
