export { PAYMENT } from './payment-file.js';
export { PaymentService } from './payment.service.js';
export { PAYMENT_STORE } from './payment.store.js';
