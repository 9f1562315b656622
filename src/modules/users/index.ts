export { CountUserIds1764500000002 } from './count-user-ids.migration.js';
export { CreateUsers1763700000004 } from './create-users.migration.js';
export { DocumentUserOperationLedger } from './adapters/http/document-user-operation-ledger.js';
export { SqlUserService } from './sql-user.service.js';
export { USERS } from './user-collection.js';
export { UserEntity } from './user.entity.js';
export { UsersModule } from './users.module.js';
export { SealUsers1764500000012, SEALED_USERS } from './seal-users.migration.js';
