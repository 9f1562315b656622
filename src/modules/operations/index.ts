export { OperationService } from './operation.service.js';
export { operationSchema } from './operation.schemas.js';
export { OperationsModule } from './operations.module.js';
