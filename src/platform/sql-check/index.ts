export { findDamage } from './find-damage.js';
export { registerSeal, RowSeal, sealOf, type SealedTable, sealRows, unsealRows } from './row-seal.js';
