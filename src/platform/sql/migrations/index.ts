import { CreatePlatformTables1763700000001 } from './1763700000001-create-platform-tables.js';
import { CreateTransactions1763700000003 } from './1763700000003-create-transactions.js';
import { CreateOrigin1764500000001 } from './1764500000001-create-origin.js';
import { OwnKeys1764500000003 } from './1764500000003-own-keys.js';
import { SealOperations1764500000010 } from './1764500000010-seal-operations.js';
import { DropIndexWithoutKey1764600000001 } from './1764600000001-drop-index-without-key.js';
import { IndexKeysOnly1764600000002 } from './1764600000002-index-keys-only.js';
import { KeepIncarnation1764700000001 } from './1764700000001-keep-incarnation.js';

export { SEALED_OPERATIONS } from './1764500000010-seal-operations.js';

/** Migrations for every SQL file. TypeORM orders them by the times in their names, together with those of the stores. */
export const PLATFORM_MIGRATIONS = [
  CreatePlatformTables1763700000001,
  CreateTransactions1763700000003,
  CreateOrigin1764500000001,
  OwnKeys1764500000003,
  SealOperations1764500000010,
  DropIndexWithoutKey1764600000001,
  IndexKeysOnly1764600000002,
  KeepIncarnation1764700000001,
] as const;
