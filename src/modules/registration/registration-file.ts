import type { SqlFile } from '../../platform/sql/index.js';

export const REGISTRATION: SqlFile = { name: 'registration', healthPart: 'registration' };
