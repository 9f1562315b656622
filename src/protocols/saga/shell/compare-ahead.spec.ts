import { beforeEach, describe, expect, it } from '@jest/globals';
import { SHOP_SAGA } from '../../../../test/support/shop-saga.js';
import { defineSaga } from '../core/definition.js';
import type { DeliveryMark } from '../ports.js';
import { SagasAhead } from './compare-ahead.js';
import { type ComparedFile, type ComparedRow, findMissingRows } from './compare-files.js';

const SAGA = defineSaga(SHOP_SAGA);

/** A file whose reads are counted. */
class RowsInMemory implements ComparedFile {
  rows: ComparedRow[] = [];
  prunedBelow = 0;
  confirmedBelow = 0;
  rowsRead = 0;

  constructor(readonly participant: string) {}

  get highestNumber(): number {
    return Math.max(0, ...this.rows.map(({ number }) => number));
  }

  rowsBetween(from: number, to: number): readonly ComparedRow[] {
    const found = this.rows.filter(({ number }) => number >= from && number < to);
    this.rowsRead += found.length;
    return found;
  }
}

describe('sagas that were compared ahead', () => {
  let orders: RowsInMemory;
  let payment: RowsInMemory;
  let stock: RowsInMemory;
  let files: readonly RowsInMemory[];
  let ahead: SagasAhead;

  const row = (
    file: RowsInMemory,
    number: number,
    step: string,
    eventIn: string | undefined,
    event: string,
    delivery: DeliveryMark = 'delivered',
  ): void => {
    file.rows.push({ number, sagaId: `saga ${String(number)}`, by: file.participant, step, eventIn, event, delivery });
  };
  const begin = (number: number): void => {
    row(orders, number, 'start', undefined, 'checkout-started');
    row(payment, number, 'authorise', 'checkout-started', 'credit-authorised');
    row(stock, number, 'take', 'credit-authorised', 'stock-taken', 'pending');
  };
  const end = (number: number): void => {
    stock.rows = stock.rows.map((one) => (one.number === number ? { ...one, delivery: 'delivered' } : one));
    row(payment, number, 'capture', 'stock-taken', 'credit-captured');
    row(orders, number, 'mark-paid', 'credit-captured', 'order-paid', 'end');
  };
  const compare = (): void => void Array.from(ahead.compare());
  const missing = async (): Promise<readonly number[]> =>
    (await findMissingRows(SAGA, files, () => Promise.resolve(), ahead.compared)).map(({ saga }) => saga);

  beforeEach(() => {
    [orders, payment, stock] = [new RowsInMemory('orders'), new RowsInMemory('payment'), new RowsInMemory('stock')];
    files = [orders, payment, stock];
    ahead = new SagasAhead(SAGA, files);
    for (let number = 1; number <= 1_200; number += 1) begin(number);
    for (let number = 1; number <= 1_200; number += 1) if (number !== 700) end(number);
  });

  it('are not read again at the start, but those that had not ended, and those that have come since', async () => {
    compare();
    expect(ahead.compared).toMatchObject({ below: 1_201, unsettled: [700] });
    begin(1_201);
    orders.rowsRead = 0;

    expect(await missing()).toEqual([]);
    expect(orders.rowsRead).toBe(2);
  });

  it('are settled when they have ended, and forgotten when they are pruned', () => {
    compare();
    end(700);
    begin(1_201);
    compare();
    expect(ahead.compared).toMatchObject({ below: 1_202, unsettled: [1_201] });
    for (const file of files) file.prunedBelow = 1_202;
    compare();

    expect(ahead.compared.unsettled).toEqual([]);
  });

  it('are named at the start when a file lacks a row of them', async () => {
    payment.rows = payment.rows.filter(({ number, step }) => number !== 300 || step !== 'capture');
    compare();

    expect(await missing()).toEqual([300, 300]);
  });

  it('count for nothing with the file of another participant', async () => {
    compare();
    payment.rows = payment.rows.filter(({ number, step }) => number !== 300 || step !== 'capture');
    expect(await missing()).toEqual([]);
    files = [...files, new RowsInMemory('delivery')];

    expect(await missing()).toEqual([300, 300]);
  });
});
