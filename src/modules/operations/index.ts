export { operationSchema } from './operation.schemas.js';
export { OperationsModule } from './operations.module.js';
