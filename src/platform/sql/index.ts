export { acceptMissingCommits, missingCommitsOf } from './accept-missing-commits.js';
export { bookstoreIn, logBytesOf } from './bookstore-file.js';
export { SqlDatabase } from './sql-database.js';
export type { SqlDatabaseOptions, SqlDatabasePorts } from './sql-database.js';
export { beforeEachStatement, type CheckOfStatement } from './statement-guard.js';
export { tablesMissingIn } from './missing-tables.js';
export type { SqlHandle } from './sql-handle.js';
export { refusalFrom, refusalToOpen } from './sql-error.js';
export { type RecordedAnswer, type Recording, SqlOperationLedger } from './sql-operation-ledger.js';
export { SqlReader } from './sql-reader.js';
export { SqlTransactionTable } from './sql-transaction-table.js';
export type { SqlTransactionTablePorts, TransactionPage } from './sql-transaction-table.js';
export { type CompleteAnswer, TransactionOperationLedger } from './transaction-operation-ledger.js';
export type {
  TransactionDecision,
  TransactionDetails,
  TransactionAcknowledgements,
  TransactionRow,
} from './transaction-row.js';
export { SQL_CRASH_SITES, type SqlWriteScope, type WriteGuard } from './write-executor.js';
export { CreatePlatformTables1763700000001 } from './migrations/1763700000001-create-platform-tables.js';
export { CreateTransactions1763700000003 } from './migrations/1763700000003-create-transactions.js';
export { CreateOrigin1764500000001 } from './migrations/1764500000001-create-origin.js';
export { OwnKeys1764500000003 } from './migrations/1764500000003-own-keys.js';
export { readOrigin, type SqlOrigin, writeOrigin } from './sql-origin.js';
export { DropIndexWithoutKey1764600000001 } from './migrations/1764600000001-drop-index-without-key.js';
export { SealOperations1764500000010, SEALED_OPERATIONS } from './migrations/1764500000010-seal-operations.js';
