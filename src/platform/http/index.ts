export type { ApiKey, Role } from './access.js';
export {
  JSON_CONTENT_TYPE,
  prepareBody,
  type PreparedBody,
  sendAnswer,
  sendPrepared,
  sendResource,
} from './answers.js';
export { BODY_PIPE } from './body.pipe.js';
export {
  DescribeDelete,
  DescribeList,
  DescribePost,
  DescribePut,
  DescribeRead,
  DescribeView,
  problemJsonSchema,
} from './describe.js';
export { etagOf, ifMatchHolds } from './etag.js';
export { useJsonBodies } from './json-body.js';
export { useWriteAdmission } from './write-admission.js';
export { createHttpServer, type HttpServerOptions } from './http-server.js';
export { IdempotencyGate, operationOf } from './idempotency-gate.js';
export { writeConcernOf } from './write-concern.js';
export { nextPageLink, type PageRequest, parseId, parsePage } from './parameters.js';
export { answerProblems, ProblemFilter, routeNotFound, sendProblem } from './problem.filter.js';
export { boundedText, problemSchema } from './schemas.js';
