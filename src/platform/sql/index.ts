export { SqlDatabase } from './sql-database.js';
export type { SqlDatabaseOptions, SqlDatabasePorts, SqlHandle } from './sql-database.js';
export { SqlOperationLedger } from './sql-operation-ledger.js';
export { SqlReader } from './sql-reader.js';
export type { SqlWriteScope } from './write-executor.js';
export { CreatePlatformTables1763700000001 } from './migrations/1763700000001-create-platform-tables.js';
