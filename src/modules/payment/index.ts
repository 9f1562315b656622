export { PAYMENT } from './payment-file.js';
export { PAYMENT_STORE } from './payment.store.js';
