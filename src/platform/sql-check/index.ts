export { findDamage } from './find-damage.js';
export {
  registerSeal,
  resealRows,
  RowSeal,
  sealOf,
  sealOfColumns,
  type SealedTable,
  sealRows,
  unsealRows,
} from './row-seal.js';
