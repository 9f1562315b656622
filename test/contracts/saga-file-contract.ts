import { beforeEach, expect, it } from '@jest/globals';
import type { SagaData, SagaFile } from '../../src/protocols/saga/index.js';

/** The three files of a shop with the table `SHOP_SAGA`: users pay 1 for 1 item. */
export interface SagaFilesUnderTest {
  readonly file: (participant: string) => SagaFile;
  /** All that is moved: what a step gives to one count it takes from another. */
  readonly counts: () => Readonly<Record<string, number>>;
  readonly fill: (counts: { readonly credit: number; readonly stock: number }) => Promise<void>;
  readonly data: SagaData;
}

type Case = readonly [
  participant: string,
  given: readonly string[],
  then: string,
  tells: string,
  changed: Readonly<Record<string, number>>,
];

const HOLDS = { credit: -1, held: 1 };
const CHARGES = { credit: -1, charged: 1 };
const SELLS = { stock: -1, sold: 1 };

/** What each participant tells and changes in all, for each event: alone, twice, late, and out of order. */
const CASES: readonly Case[] = [
  ['payment', [], 'checkout-started', 'credit-authorised', HOLDS],
  ['payment', ['checkout-started'], 'checkout-started', 'credit-authorised', HOLDS],
  ['payment', ['checkout-started'], 'stock-refused', 'credit-voided', {}],
  ['payment', ['checkout-started', 'stock-refused'], 'stock-refused', 'credit-voided', {}],
  ['payment', ['checkout-started', 'stock-refused'], 'checkout-started', 'credit-authorised', {}],
  ['payment', ['checkout-started'], 'stock-taken', 'credit-captured', CHARGES],
  ['payment', ['checkout-started', 'stock-taken'], 'stock-taken', 'credit-captured', CHARGES],
  ['payment', ['checkout-started', 'stock-taken'], 'checkout-started', 'credit-authorised', CHARGES],
  ['payment', [], 'stock-refused', 'credit-voided', {}],
  ['payment', ['stock-refused'], 'stock-refused', 'credit-voided', {}],
  ['payment', ['stock-refused'], 'checkout-started', 'credit-refused', {}],
  ['payment', ['stock-refused', 'checkout-started'], 'checkout-started', 'credit-refused', {}],
  ['stock', [], 'credit-authorised', 'stock-taken', SELLS],
  ['stock', ['credit-authorised'], 'credit-authorised', 'stock-taken', SELLS],
  ['orders', [], 'credit-captured', 'order-paid', {}],
  ['orders', ['credit-captured'], 'credit-captured', 'order-paid', {}],
  ['orders', [], 'credit-refused', 'order-unlocked', {}],
  ['orders', ['credit-refused'], 'credit-refused', 'order-unlocked', {}],
  ['orders', ['credit-refused'], 'credit-voided', 'order-unlocked', {}],
];

/** What a participant's file promises to the relay. */
export function testsOfSagaFiles(open: () => SagaFilesUnderTest | Promise<SagaFilesUnderTest>): void {
  let files: SagaFilesUnderTest;
  let number = 0;

  const tells = (participant: string, name: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const event = { saga: { number, id: `saga-${String(number)}` }, name, data: files.data };
      files.file(participant).react(event, false, (reaction) => {
        if ('record' in reaction) resolve(reaction.record.event);
        else reject(new Error(JSON.stringify(reaction)));
      });
    });
  const changesSince = (before: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
    Object.fromEntries(
      Object.entries(files.counts())
        .map(([name, value]): [string, number] => [name, value - (before[name] ?? 0)])
        .filter(([, change]) => change !== 0),
    );

  beforeEach(async () => {
    files = await open();
    number += 1;
    await files.fill({ credit: 5, stock: 5 });
  });

  it.each(CASES)('given %s after %j, %s tells %s', async (participant, given, then, told, changed) => {
    const before = files.counts();
    for (const name of given) await tells(participant, name);

    expect(await tells(participant, then)).toBe(told);
    expect(changesSince(before)).toEqual(changed);
  });

  it('given the same event twice in one commit, takes effect once', async () => {
    const before = files.counts();

    const both = await Promise.all([tells('payment', 'checkout-started'), tells('payment', 'checkout-started')]);

    expect(both).toEqual(['credit-authorised', 'credit-authorised']);
    expect(changesSince(before)).toEqual(HOLDS);
  });

  it.each([
    ['payment', 'checkout-started', 'credit-refused'],
    ['stock', 'credit-authorised', 'stock-refused'],
  ])('given a refusal by %s, tells it again when there would be enough', async (participant, event, refused) => {
    await files.fill({ credit: 0, stock: 0 });
    expect(await tells(participant, event)).toBe(refused);
    await files.fill({ credit: 5, stock: 5 });

    expect(await tells(participant, event)).toBe(refused);
    expect(files.counts()).toMatchObject({ credit: 5, stock: 5 });
  });

  it('keeps what it tells in its outbox until it is noted as delivered', async () => {
    await tells('payment', 'checkout-started');
    const payment = files.file('payment');
    const row = { saga: { number }, step: 'authorise', eventIn: 'checkout-started', event: 'credit-authorised' };
    expect(payment.undelivered().filter(({ saga }) => saga.number === number)).toMatchObject([row]);

    payment.note({ number, step: 'authorise', delivery: 'parked', attempts: 3, nextAtMs: 7 });
    await tells('payment', 'stock-taken');
    expect(payment.recordsOf(number)).toContainEqual(
      expect.objectContaining({ step: 'authorise', delivery: 'parked', attempts: 3, nextAtMs: 7 }),
    );

    payment.note({ number, step: 'authorise', delivery: 'delivered', attempts: 3, nextAtMs: 7 });
    number += 1;
    await tells('payment', 'checkout-started');
    expect(payment.undelivered().filter(({ saga }) => saga.number === number - 1)).toMatchObject([{ step: 'capture' }]);
  });
}
