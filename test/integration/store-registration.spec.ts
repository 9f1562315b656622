import { afterEach, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Inject, Module, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { parseConfig } from '../../src/config/index.js';
import { startApp } from '../../src/main/api/app.js';
import { acceptLostDataIn } from '../../src/main/cli/accept-loss/run.js';
import { backUp } from '../../src/main/cli/backup/backup.js';
import type {
  DocumentStoreRegistration,
  OpenSqlFile,
  SqlStore,
  StoreRegistration,
} from '../../src/modules/store-registration/index.js';
import { SQL_FILES, STORES } from '../../src/modules/stores/index.js';
import { NodeDisk } from '../../src/platform/disk/index.js';
import { DocumentStore } from '../../src/platform/documents/index.js';
import { type Answer, operationOf, sendAnswer } from '../../src/platform/http/index.js';
import type { RunningServer } from '../../src/platform/nodes/index.js';
import type { Participant } from '../../src/protocols/two-phase-commit/index.js';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { RecordingProcessControl } from '../support/recording-process-control.js';

const STARTS_WITHIN_MS = 60_000;

/** A store in an SQL file of its own, as a module would declare it. */
class CreateShelves1764700000001 implements MigrationInterface {
  name = 'CreateShelves1764700000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE shelves (label TEXT NOT NULL) STRICT');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE shelves');
  }
}

class Shelves {
  constructor(private readonly file: OpenSqlFile) {}

  add(label: string, operation: ReturnType<typeof operationOf>): Promise<Answer> {
    const { database, operations } = this.file;
    return database.writer.run(() => {
      database.writeHandle.prepare('INSERT INTO shelves (label) VALUES (?)').run(label);
      const answerOf = (): Answer => ({ status: 201, headers: {}, body: JSON.stringify({ label }) });
      return operations.record({ operation, answerOf }, undefined);
    });
  }

  labels(): unknown[] {
    return this.file.database.reader.handle.prepare('SELECT label FROM shelves ORDER BY rowid').pluck().all();
  }
}

@Controller('shelves')
class ShelvesController {
  constructor(@Inject(Shelves) private readonly shelves: Shelves) {}

  @Get()
  list(): unknown[] {
    return this.shelves.labels();
  }

  @Post()
  async add(@Body('label') label: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    sendAnswer(reply, await this.shelves.add(label, operationOf(request)));
  }
}

@Module({})
class ShelvesModule {}

/** The labels at each start, when the store recovers. */
const foundAtRecovery: unknown[][] = [];

/** Promised to a database that is not there: left to a person. */
const PROMISE = {
  id: '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77',
  kind: 'test',
  decidedBy: 'lost',
  incarnation: 1,
  preparedAtMs: 1,
};
const participant: Participant<never> = {
  name: 'shelves',
  prepare: () => Promise.resolve({ vote: 'yes' }),
  commit: () => Promise.resolve({}),
  abort: () => Promise.resolve({}),
  inDoubt: () => Promise.resolve([PROMISE]),
};

const SHELVES: SqlStore = {
  kind: 'sql',
  name: 'shelves',
  file: { name: 'shelves', healthPart: 'shelves' },
  entities: [],
  migrations: [CreateShelves1764700000001],
  sealed: [],
  queryNames: { '/shelves': ['colour'] },
  crashSites: ['shelves.add.before'],
  seed: async (services) => {
    await services.get(Shelves).add('seeded', { id: 'seed-shelf' });
  },
  passOverIds: undefined,
  recover: (services) => {
    foundAtRecovery.push(services.get(Shelves).labels());
    return Promise.resolve();
  },
  serve: (file) => ({
    module: {
      module: ShelvesModule,
      controllers: [ShelvesController],
      providers: [{ provide: Shelves, useValue: new Shelves(file) }],
    },
    participant,
  }),
};

/** A collection of documents. */
const ANSWER_OF: DocumentStoreRegistration['answerOf'] = ({ outcome, commit }) => ({
  status: 201,
  headers: { 'x-commit': commit },
  body: JSON.stringify(outcome.document),
});

@Controller('notes')
class NotesController {
  constructor(@Inject(DocumentStore) private readonly documents: DocumentStore) {}

  @Post()
  async add(@Body('text') text: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const write = await this.documents.create('notes', { text }, operationOf(request));
    if (!write.done) throw new Error(write.refusal);
    sendAnswer(reply, ANSWER_OF(write));
  }
}

@Module({ controllers: [NotesController] })
class NotesModule {}

const NOTES: DocumentStoreRegistration = {
  kind: 'documents',
  name: 'notes',
  collection: { name: 'notes' },
  module: NotesModule,
  queryNames: {},
  crashSites: [],
  seed: undefined,
  answerOf: ANSWER_OF,
};

const directories: string[] = [];
const running: RunningServer[] = [];

afterEach(async () => {
  for (const app of running.splice(0)) await app.close();
  directories.splice(0).forEach(removeDirectory);
});

function newDirectory(): string {
  const directory = temporaryDirectory();
  directories.push(directory);
  return directory;
}

async function start(
  directory: string,
  stores: readonly StoreRegistration[],
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningServer> {
  const config = parseConfig({
    ...{ PORT: '0', DATA_DIR: directory, REPLICAS_DIR: `${directory}/replicas`, REPLICA_PORTS: '' },
    ...{ DATA_CHECK_EVERY_MS: '0', ...environment },
  });
  const logger = pino({ level: 'silent' });
  const registrations = [...STORES, ...stores];
  const app = await startApp({ config, logger, process: new RecordingProcessControl(), registrations });
  running.push(app);
  return app;
}

async function stop(app: RunningServer): Promise<void> {
  running.splice(running.indexOf(app), 1);
  await app.close();
}

async function send(url: string, body: unknown, key: string): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function json(url: string): Promise<unknown> {
  const response = await fetch(url);
  expect([url, response.status]).toEqual([url, 200]);
  return response.json();
}

describe.each([
  ['in an SQL file of its own', SHELVES, 'shelves', { label: 'poems' }],
  ['that is a collection of documents', NOTES, 'notes', { text: 'buy ink' }],
])('a store %s, registered with all its parts', (_title, store, path, body) => {
  it(
    'writes once per Idempotency-Key and appears in /operations, also after a clean stop and a restart',
    async () => {
      const directory = newDirectory();
      const app = await start(directory, [store]);
      const first = await send(`${app.url}/${path}`, body, 'k');
      const answer = await first.text();
      const operation = first.headers.get('x-operation-id') ?? '';
      const again = await send(`${app.url}/${path}`, body, 'k');
      await stop(app);

      const next = await start(directory, [store]);
      const replayed = await send(`${next.url}/${path}`, body, 'k');

      expect([first.status, again.status, replayed.status]).toEqual([201, 201, 201]);
      for (const repeat of [again, replayed]) {
        expect(repeat.headers.get('idempotency-replayed')).toBe('true');
        expect(await repeat.text()).toBe(answer);
      }
      expect(await json(`${next.url}/operations/${operation}`)).toMatchObject({
        ...{ operationId: operation, state: 'committed', confirmed: true },
        answer: { status: 201, body: JSON.parse(answer) as unknown },
      });
    },
    STARTS_WITHIN_MS,
  );
});

describe('a store in an SQL file of its own, registered with all its parts', () => {
  it(
    'is seeded, recovered, healthy, part of transactions, and read by its own queries alone',
    async () => {
      foundAtRecovery.length = 0;
      const { url } = await start(newDirectory(), [SHELVES]);

      expect(foundAtRecovery).toEqual([['seeded']]);
      expect(await json(`${url}/shelves?colour=red`)).toEqual(['seeded']);
      expect((await fetch(`${url}/shelves?color=red`)).status).toBe(400);
      expect(await json(`${url}/health/ready`)).toMatchObject({
        details: { 'shelves-write': { status: 'up' }, 'shelves-read': { status: 'up' }, 'sql-write': { status: 'up' } },
      });
      expect(await json(`${url}/transactions/${PROMISE.id}`)).toMatchObject({
        participants: [{ name: 'shelves', state: 'prepared' }],
      });
    },
    STARTS_WITHIN_MS,
  );

  it(
    'given that its file is lost and the loss is accepted, begins empty',
    async () => {
      const directory = newDirectory();
      const app = await start(directory, [SHELVES]);
      await send(`${app.url}/shelves`, { label: 'poems' }, 'k');
      await stop(app);
      rmSync(join(directory, 'shelves.db'));
      const directories = { dataDirectory: directory, replicasDirectory: join(directory, 'replicas') };

      const accepted = await acceptLostDataIn(directories, [...SQL_FILES, SHELVES.file], 'the disk is broken');
      const { url } = await start(directory, [SHELVES]);

      expect(accepted.lines[0]).toMatch(/^accepted: .*shelves\.db does not exist, .* \(the disk is broken\)$/);
      expect(await json(`${url}/shelves`)).toEqual([]);
    },
    STARTS_WITHIN_MS,
  );

  it(
    'is in a backup, and in an app that starts on it',
    async () => {
      const directory = newDirectory();
      const copy = `${newDirectory()}/copy`;
      const app = await start(directory, [SHELVES]);
      await send(`${app.url}/shelves`, { label: 'poems' }, 'k');
      await stop(app);

      await backUp(new NodeDisk(), [...SQL_FILES, SHELVES.file], directory, copy);

      expect(await json(`${(await start(copy, [SHELVES])).url}/shelves`)).toEqual(['seeded', 'poems']);
    },
    STARTS_WITHIN_MS,
  );

  it('makes its crash sites known to fault tests', async () => {
    const faults = { FAULTS: '1', CRASH_SITE: 'shelves.add.after' };

    await expect(start(newDirectory(), [SHELVES], faults)).rejects.toMatchObject({
      code: 'misconfigured',
      message: expect.stringContaining('shelves.add.before'),
    });
  });
});

describe('a store with the name, the collection or the SQL file of another', () => {
  it.each([
    ['name', { ...NOTES, name: 'customers' }, 'the name "customers"'],
    ['collection', { ...NOTES, collection: { name: 'users' } }, 'the collection "users"'],
    ['SQL file', { ...SHELVES, file: { name: 'bookstore', healthPart: 'sql' } }, 'the SQL file "bookstore"'],
  ])('is refused at the start, and the error names the %s', async (_part, store, message) => {
    await expect(start(newDirectory(), [store])).rejects.toMatchObject({
      code: 'misconfigured',
      message: expect.stringContaining(message),
    });
  });
});
