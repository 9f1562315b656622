import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../../../test/support/app-process.js';
import { openDatabase } from '../../../test/support/books-database.js';
import { AppError } from '../../kernel/index.js';
import { systemClock } from '../../platform/process/index.js';
import { PLATFORM_MIGRATIONS, type SqlDatabase, SqlOperationLedger } from '../../platform/sql/index.js';
import { RegisteredUserRepository } from './registered-user.repository.js';
import { RegistrationCommands } from './registration.commands.js';
import { REGISTRATION_STORE } from './registration.store.js';

const REFUSAL = new AppError('too-many-hashes', 'full', { retry: 'safe' });

describe('registrations', () => {
  let directory: string;
  let database: SqlDatabase;
  let users: RegisteredUserRepository;
  let operations: SqlOperationLedger;
  let hashed: string[];
  /** The next hashes are refused. */
  let refusals: number;
  let operationId: number;

  beforeEach(async () => {
    directory = temporaryDirectory();
    const migrations = [...PLATFORM_MIGRATIONS, ...REGISTRATION_STORE.migrations];
    database = await openDatabase({ file: join(directory, 'registration.db'), entities: [], migrations });
    users = new RegisteredUserRepository(database);
    operations = new SqlOperationLedger(database, systemClock);
    [hashed, refusals, operationId] = [[], 0, 0];
  });

  afterEach(async () => {
    await database.close();
    rmSync(directory, { recursive: true });
  });

  const commands = (passwordMin = 1): RegistrationCommands => {
    const hash = async (password: string): Promise<string> => {
      hashed.push(password);
      await new Promise(setImmediate);
      if (refusals > 0) {
        refusals -= 1;
        throw REFUSAL;
      }
      return `hash of ${password}`;
    };
    const ports = { hasher: { hash }, clock: systemClock, newId: () => `user-${String(hashed.length)}` };
    return new RegistrationCommands(ports, { database, operations }, users, passwordMin);
  };

  const register = (at: RegistrationCommands, email: string, password = 'p'): Promise<unknown> =>
    at.register(
      { email, password },
      {
        operation: { id: `operation-${String((operationId += 1))}` },
        answerOf: ({ id }) => ({ status: 200, headers: {}, body: id }),
      },
    );
  const codes = async (answers: readonly Promise<unknown>[]): Promise<readonly unknown[]> =>
    (await Promise.allSettled(answers)).map((one) =>
      one.status === 'fulfilled' ? 'done' : (one.reason as AppError).code,
    );

  it('given a free e-mail, keeps it as given with the hash, and an operation that holds neither password nor hash', async () => {
    await register(commands(), 'Ada@Example.org', 'geheim');
    expect(users.findByAccount('ada@example.org')).toMatchObject({
      email: 'Ada@Example.org',
      passwordHash: 'hash of geheim',
    });
    expect(JSON.stringify(operations.findById('operation-1'))).not.toContain('geheim');
  });

  it.each(['ada@example.org', 'ADA@EXAMPLE.ORG'])(
    'given %s once more, refuses it before anything is hashed',
    async (email) => {
      const at = commands();
      await register(at, 'ada@example.org');
      expect(await codes([register(at, email, 'q')])).toEqual(['exists']);
      expect(hashed).toEqual(['p']);
    },
  );

  it('given one e-mail many times at once, hashes one password, keeps one user, and refuses the others', async () => {
    const at = commands();
    const answers = await codes(Array.from({ length: 50 }, (_, i) => register(at, 'ada@example.org', `p${String(i)}`)));
    expect([answers.filter((code) => code === 'done').length, new Set(answers)]).toEqual([
      1,
      new Set(['done', 'exists']),
    ]);
    expect([hashed, users.page({ limit: 10, after: '' }).total]).toEqual([['p0'], 1]);
  });

  it('given a first registration that is refused, lets one that waited for it register', async () => {
    const at = commands();
    refusals = 1;
    expect(await codes([1, 2, 3].map((i) => register(at, 'ada@example.org', `p${String(i)}`)))).toEqual([
      ...['too-many-hashes', 'done', 'exists'],
    ]);
    expect(users.findByAccount('ada@example.org')?.passwordHash).toBe('hash of p2');
  });

  it('given two processes that register one e-mail at once, keeps one user and refuses the other', async () => {
    const answers = await codes([register(commands(), 'ada@example.org'), register(commands(), 'ada@example.org')]);
    expect([...answers].sort()).toEqual(['done', 'exists']);
    expect([hashed.length, users.page({ limit: 10, after: '' }).total]).toEqual([2, 1]);
  });

  it('given a password shorter than the setting, refuses it by its field and hashes nothing', async () => {
    const at = commands(8);
    await expect(register(at, 'ada@example.org', '7 chars')).rejects.toMatchObject({
      ...{ code: 'validation-failed', fields: [{ field: 'clave', message: 'must have 8 characters or more' }] },
    });
    expect(hashed).toEqual([]);
    expect(await codes([register(at, 'ada@example.org', '8 signs!')])).toEqual(['done']);
  });

  it('lists users in pages by id, without their hashes', async () => {
    const at = commands();
    for (const name of ['c', 'a', 'b']) await register(at, `${name}@x`);
    const first = users.page({ limit: 2, after: '' });
    expect(first).toEqual({
      ...{ hasMore: true, total: 3 },
      users: [
        { id: 'user-1', email: 'c@x' },
        { id: 'user-2', email: 'a@x' },
      ],
    });
    expect(users.page({ limit: 2, after: 'user-2' })).toMatchObject({ users: [{ email: 'b@x' }], hasMore: false });
  });
});
