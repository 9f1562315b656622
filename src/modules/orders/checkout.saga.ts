import { defineSaga } from '../../protocols/saga/index.js';

/**
 * How an order is bought. Each step is one commit in the file of its module, and tells the next step what has happened.
 *
 *   the checkout starts     the order is locked; its lines and its total are written down
 *   payment: authorise      holds the total for this order; refused when the user has too little credit
 *   stock: take             takes all lines; refused when there is too little of one
 *                           FROM HERE ON THE ORDER WILL BE PAID
 *   payment: capture        charges what it holds
 *   orders: mark-paid       the order is paid
 *
 * After a refusal the steps before it are taken back, the last one first:
 *
 *   payment: void           gives back what it holds
 *   orders: unlock          the order is open again, and the client is told why
 */
export const CHECKOUT = defineSaga({
  name: 'checkout',
  start: { event: 'checkout-started', by: 'orders', undo: 'unlock' },
  steps: [
    {
      ...{ step: 'authorise', by: 'payment', on: ['checkout-started'], undo: 'void' },
      ...{ done: 'credit-authorised', refused: 'credit-refused', isRefusedWhenExhausted: true },
      // While another order of the user holds the credit: soon again, for at most 17 seconds.
      retry: { attempts: 40, baseMs: 10, maxMs: 500 },
    },
    {
      ...{ step: 'take', by: 'stock', on: ['credit-authorised'], isPivot: true },
      ...{ done: 'stock-taken', refused: 'stock-refused' },
    },
    { step: 'capture', by: 'payment', on: ['stock-taken'], done: 'credit-captured' },
    { step: 'mark-paid', by: 'orders', on: ['credit-captured'], done: 'order-paid' },

    { step: 'void', by: 'payment', on: ['stock-refused'], done: 'credit-voided' },
    { step: 'unlock', by: 'orders', on: ['credit-refused', 'credit-voided'], done: 'order-unlocked' },
  ],
  ends: { 'order-paid': 'completed', 'order-unlocked': 'refused' },
});
