import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../../../test/support/app-process.js';
import { openDatabase } from '../../../test/support/books-database.js';
import { SHOP_SAGA } from '../../../test/support/shop-saga.js';
import { isAppError } from '../../kernel/index.js';
import { NO_CRASH_SITES } from '../../platform/crash-sites/index.js';
import { systemClock } from '../../platform/process/index.js';
import { PLATFORM_MIGRATIONS, type SqlDatabase } from '../../platform/sql/index.js';
import { defineSaga, type Reaction, SqlSagaFile } from '../../protocols/saga/index.js';
import { PAYMENT_STORE } from './payment.store.js';
import { paymentSteps } from './payment-steps.js';
import { charged, funded, newUser, type PaymentUser } from './payment-user.js';
import { PaymentRepository } from './payment.repository.js';

type Ended = 'stock-refused' | 'stock-taken';

/** What may happen to one user. An event of a checkout may come again, and `stock-refused` before its checkout has started. */
type Happening =
  | { readonly type: 'fund' | 'pay' | 'replace'; readonly amount: number }
  | { readonly type: 'start'; readonly checkout: number; readonly total: number }
  | { readonly type: 'end'; readonly checkout: number; readonly as: Ended };

interface Checkout {
  readonly total: number;
  readonly userSet: number;
  state: 'waiting' | 'held' | 'over';
  ended?: Ended;
}

const CHECKOUTS = 4;
const amount = fc.nat(60);
const checkout = fc.nat(CHECKOUTS - 1);
const happenings: fc.Arbitrary<Happening[]> = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('fund' as const, 'pay' as const), amount }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('replace' as const), amount }) },
    { weight: 5, arbitrary: fc.record({ type: fc.constant('start' as const), checkout, total: amount }) },
    {
      weight: 5,
      arbitrary: fc.record({
        ...{ type: fc.constant('end' as const), checkout },
        as: fc.constantFrom<Ended>('stock-refused', 'stock-taken'),
      }),
    },
  ),
  { maxLength: 40 },
);

describe('users of payment', () => {
  let directory: string;
  let database: SqlDatabase;
  let users: PaymentRepository;
  let sagas: SqlSagaFile;
  let run = 0;

  beforeAll(async () => {
    directory = temporaryDirectory();
    const migrations = [...PLATFORM_MIGRATIONS, ...PAYMENT_STORE.migrations];
    database = await openDatabase({ file: join(directory, 'payment.db'), entities: [], migrations });
    users = new PaymentRepository(database);
    const payment = { name: 'payment', database, steps: paymentSteps(users) };
    sagas = new SqlSagaFile({ clock: systemClock, crashSites: NO_CRASH_SITES }, defineSaga(SHOP_SAGA), payment);
  });

  afterAll(async () => {
    await database.close();
    rmSync(directory, { recursive: true });
  });

  const change = (id: string, work: (user: PaymentUser) => PaymentUser): Promise<void> =>
    database.writer
      .run(() => void users.change(id, work))
      .catch((error: unknown) => {
        if (!isAppError(error)) throw error;
      });
  const react = (number: number, name: string, data: object): Promise<Reaction> =>
    new Promise((resolve) => {
      sagas.react({ saga: { number, id: String(number) }, name, data: { ...data } }, false, resolve);
    });

  it('after any funds, payments, replacements and events of checkouts, hold exactly what is authorised and not ended, and credit + held + charged = funded', async () => {
    await fc.assert(
      fc.asyncProperty(happenings, async (happened) => {
        run += 1;
        const id = `user-${String(run)}`;
        const checkouts = new Map<number, Checkout>();
        let model = newUser(id, 100, 1);
        await database.writer.run(() => {
          users.put(model);
        });
        const pending: Promise<unknown>[] = [];
        for (const each of happened) {
          if (each.type === 'replace') {
            // The gate of the shop lets in no batch_init while a checkout holds credit.
            if ([...checkouts.values()].some(({ state }) => state === 'held')) continue;
            const replaced = (model = newUser(id, each.amount, model.setNumber + 1));
            pending.push(database.writer.run(() => { users.put(replaced); })); // prettier-ignore
          } else if (each.type === 'start' || each.type === 'end') {
            const known = checkouts.get(each.checkout);
            const begun: Checkout = known ?? {
              ...{ total: each.type === 'start' ? each.total : 1, userSet: model.setNumber, state: 'waiting' },
            };
            const { total, userSet } = begun;
            const isOfUser = userSet === model.setNumber;
            const number = run * CHECKOUTS + each.checkout;
            if (each.type === 'start') {
              checkouts.set(each.checkout, begun);
              pending.push(react(number, 'checkout-started', { userId: id, userSet, total }));
              if (begun.state !== 'waiting') continue;
              if (isOfUser && total <= model.credit) {
                model = { ...model, credit: model.credit - total, held: model.held + total };
                begun.state = 'held';
              } else if (!isOfUser || total > model.credit + model.held) begun.state = 'over';
            } else {
              const as = begun.ended ?? each.as;
              // Stock is taken only for a checkout that is authorised.
              if (as === 'stock-taken' && begun.state !== 'held' && begun.ended === undefined) continue;
              checkouts.set(each.checkout, begun);
              pending.push(react(number, as, { userId: id, userSet, total }));
              begun.ended = as;
              if (begun.state === 'held') {
                const back =
                  as === 'stock-refused' ? { credit: model.credit + total } : { charged: model.charged + total };
                model = { ...model, held: model.held - total, ...back };
              }
              begun.state = 'over';
            }
          } else {
            const { type } = each;
            const work = (user: PaymentUser): PaymentUser => (type === 'fund' ? funded : charged)(user, each.amount);
            pending.push(change(id, work));
            if (type === 'fund' || each.amount <= model.credit) model = work(model);
          }
        }
        const reactions = await Promise.all(pending);

        expect(reactions.filter((one) => typeof one === 'object' && one !== null && 'error' in one)).toEqual([]);
        const { credit, held, charged: taken, funded: all, setNumber } = users.find(id)!;
        expect({ id, credit, held, charged: taken, funded: all, setNumber }).toEqual(model);
        expect(credit + held + taken).toBe(all);
        const isHeld = (one: Checkout): boolean => one.state === 'held';
        expect(held).toBe([...checkouts.values()].filter(isHeld).reduce((sum, { total }) => sum + total, 0));
      }),
      { numRuns: 150 },
    );
  });
});
