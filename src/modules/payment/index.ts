export { PAYMENT } from './payment-file.js';
export { paymentSteps } from './payment-steps.js';
export { PaymentRepository } from './payment.repository.js';
export { PaymentService } from './payment.service.js';
export { PAYMENT_STORE } from './payment.store.js';
