import type { SqlFile } from '../../platform/sql/index.js';

export const PAYMENT: SqlFile = { name: 'payment', healthPart: 'payment' };
