export { joinItem, JOINED_STOCK } from './joined-stock.js';
export { StockModule } from './stock.module.js';
export { type ItemOnSale, StockService } from './stock.service.js';
export { STOCK_STORE } from './stock.store.js';
