export { OperationService } from './operation.service.js';
export { operationSchema } from './adapters/http/operation.schemas.js';
export { OperationsModule } from './operations.module.js';
