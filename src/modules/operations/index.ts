export { OperationService } from './operation.service.js';
export { READ_OPERATION } from './adapters/http/read-operation.js';
export { OperationsModule } from './operations.module.js';
