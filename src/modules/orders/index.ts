export { checkoutAnswer } from './adapters/http/checkout-answers.js';
export { CHECKOUT } from './checkout.saga.js';
export { CheckoutLedger } from './checkout/checkout-ledger.js';
export { CheckoutRepository } from './checkout/checkout.repository.js';
export { CheckoutSagas } from './checkout/checkout-sagas.js';
export { ORDERS } from './orders-file.js';
export { ORDERS_STORE } from './orders.store.js';
export { SagaService } from './sagas/saga.service.js';
