import type { SqlFile } from '../../platform/sql/index.js';

export const ORDERS: SqlFile = { name: 'orders', healthPart: 'orders' };
