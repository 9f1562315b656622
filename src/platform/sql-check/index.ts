export { findDamage } from './find-damage.js';
export {
  registerSeal,
  resealRows,
  RowSeal,
  type Sealable,
  sealOf,
  sealOfColumns,
  type SealedTable,
  sealRows,
  unsealRows,
  watchColumns,
} from './row-seal.js';
