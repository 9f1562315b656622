import type { SagaTable } from '../../src/protocols/saga/index.js';

/** The table of a shop: authorise, take, capture. */
export const SHOP_SAGA: SagaTable = {
  name: 'checkout',
  start: { event: 'checkout-started', by: 'orders', undo: 'unlock' },
  steps: [
    {
      ...{ step: 'authorise', by: 'payment', on: ['checkout-started'], done: 'credit-authorised' },
      ...{ refused: 'credit-refused', isRefusedWhenExhausted: true, undo: 'void' },
    },
    {
      ...{ step: 'take', by: 'stock', on: ['credit-authorised'], done: 'stock-taken', refused: 'stock-refused' },
      isPivot: true,
    },
    { step: 'capture', by: 'payment', on: ['stock-taken'], done: 'credit-captured' },
    { step: 'mark-paid', by: 'orders', on: ['credit-captured'], done: 'order-paid' },
    { step: 'void', by: 'payment', on: ['stock-refused'], done: 'credit-voided' },
    { step: 'unlock', by: 'orders', on: ['credit-refused', 'credit-voided'], done: 'order-unlocked' },
  ],
  ends: { 'order-paid': 'completed', 'order-unlocked': 'refused' },
};
