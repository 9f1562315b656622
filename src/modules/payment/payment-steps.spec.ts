import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../../../test/support/app-process.js';
import { openDatabase } from '../../../test/support/books-database.js';
import { PLATFORM_MIGRATIONS, type SqlDatabase } from '../../platform/sql/index.js';
import type { StepOutcome } from '../../protocols/saga/index.js';
import { CreatePaymentUsers1764800000001 } from './create-payment-users.migration.js';
import { newUser } from './payment-user.js';
import { paymentSteps } from './payment-steps.js';
import { PaymentRepository } from './payment.repository.js';

const SAGA = { number: 1, id: 'a saga' };
const DATA = { orderId: 'o', userId: 'u', userSet: 3, total: 40 };

describe('the steps of payment, given a user with a credit of 100', () => {
  let directory: string;
  let database: SqlDatabase;
  let users: PaymentRepository;

  const step = (name: string, data: object): Promise<StepOutcome> =>
    database.writer.run((scope) => paymentSteps(users)[name]!(scope, SAGA, { ...DATA, ...data }));
  const money = (): readonly unknown[] => {
    const { credit, held, charged, funded } = users.find('u')!;
    return [credit, held, charged, funded];
  };

  beforeEach(async () => {
    directory = temporaryDirectory();
    const migrations = [...PLATFORM_MIGRATIONS, CreatePaymentUsers1764800000001];
    database = await openDatabase({ file: join(directory, 'payment.db'), entities: [], migrations });
    users = new PaymentRepository(database);
    await database.writer.run(() => {
      users.put(newUser('u', 100, 3));
    });
  });

  afterEach(async () => {
    await database.close();
    rmSync(directory, { recursive: true });
  });

  it('"authorise" holds the total, "capture" charges it; the data is handed on', async () => {
    expect(await step('authorise', {})).toEqual({ event: 'credit-authorised', data: DATA, set: 3 });
    expect(money()).toEqual([60, 40, 0, 100]);
    expect(await step('capture', {})).toEqual({ event: 'credit-captured', data: DATA, set: 3 });
    expect(money()).toEqual([60, 0, 40, 100]);
  });

  it('"void" gives back what "authorise" holds', async () => {
    await step('authorise', {});
    expect(await step('void', {})).toEqual({ event: 'credit-voided', data: DATA, set: 3 });
    expect(money()).toEqual([100, 0, 0, 100]);
  });

  it.each([
    ['more than credit and holds together', { total: 101 }, 'too-little-credit'],
    ['a user of another set', { userSet: 2 }, 'conflict'],
    ['a user that does not exist', { userId: 'nobody' }, 'not-found'],
  ])('"authorise" of %s is refused and holds nothing', async (_what, given, code) => {
    const refused = { event: 'credit-refused', data: { ...DATA, ...given, code } };
    expect(await step('authorise', given)).toMatchObject(refused);
    expect(money()).toEqual([100, 0, 0, 100]);
  });

  it('"authorise" of what another checkout holds waits for it, and holds nothing', async () => {
    await step('authorise', { total: 70 });
    expect(await step('authorise', { total: 31 })).toEqual({ later: expect.stringContaining('hold another 70') });
    expect(money()).toEqual([30, 70, 0, 100]);
  });

  it.each(['capture', 'void'])('"%s" of a user of another set throws, and changes nothing', async (name) => {
    await expect(step(name, { userSet: 2 })).rejects.toThrow('user u was replaced while a checkout held credit');
    expect(money()).toEqual([100, 0, 0, 100]);
  });
});
