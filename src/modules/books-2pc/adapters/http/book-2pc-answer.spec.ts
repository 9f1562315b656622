import { describe, expect, it } from '@jest/globals';
import { book2pcAnswer, withCustomersUpdated } from './book-2pc-answer.js';

describe('the body of the answer to a book with orders', () => {
  const book = { id: 1, title: 'a "b" }', author: 'c', price: 1, quantity: 0 };
  const recorded = book2pcAnswer({ transactionId: 't', book }).body ?? '';

  it("given the documents' acknowledgement, contains the number of customers", () => {
    const whole = withCustomersUpdated(recorded, { outcome: { bumped: { customers: 2 } } });

    expect(whole).toBe(JSON.stringify({ transactionId: 't', book, customersUpdated: 2 }));
  });

  it.each([undefined, {}, { outcome: {} }, { outcome: { bumped: { others: 2 } } }])(
    'given the acknowledgement %j, is the recorded body',
    (acknowledgement) => {
      expect(withCustomersUpdated(recorded, acknowledgement)).toBe(recorded);
    },
  );
});
