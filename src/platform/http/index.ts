export { addressOf, type ApiKey, CLUSTER_HEADER, COUNTED_HEADER, forwardedFor, theKeyAmong } from './callers.js';
export type { SharedQuota, SharedUsage } from './request-limit.js';
export { acceptedAnswer, type Answer, writtenAnswer } from './answer.js';
export {
  JSON_CONTENT_TYPE,
  PREPARED_BODY_BYTES,
  prepareBody,
  type PreparedBody,
  sendAnswer,
  sendPrepared,
  sendResource,
} from './answers.js';
export { isReading, unauthorized } from './access.js';
export { BODY_PIPE, BODY_PIPE_WITH_ID, NoBody } from './body.pipe.js';
export { type BodySchema, validBody } from './valid-body.js';
export { admittedConcern, type CommitConfirmer, confirmedAnswer, isConfirmedNow } from './commit-confirmation.js';
export { type Echo, serveEcho, serveLive } from './echo.js';
export { ECHO_OPERATION, type Live, LIVE_OPERATION, METRICS_OPERATION } from './openapi/about.js';
export { type Ready, READY_OPERATION, rootOperation } from './openapi/about.js';
export { Describe, DescribeAction, DescribeDelete, DescribeList } from './openapi/describe.js';
export { DescribePost, DescribePut, DescribeRead, DescribeView } from './openapi/describe.js';
export { openApiDocument } from './openapi/document.js';
export { asElsewhere, createOperation, listOperation, operation, readOperation } from './openapi/operations.js';
export { removeOperation, replaceOperation, viewOperation } from './openapi/operations.js';
export * as openApiParts from './openapi/parts.js';
export type { IdDescription, Json, OpenApiOperation, OpenApiResponse } from './openapi/parts.js';
export { CHANGE_REFUSALS, COMMON_REFUSALS, SQL_REFUSALS, WRITE_REFUSALS } from './openapi/refusals.js';
export { serveDocumentation } from './documentation.js';
export { Preconditions } from './etag.js';
export { useJsonBodies } from './json-body.js';
export { useWriteAdmission } from './write-admission.js';
export { OPEN_TO_THIS_MACHINE } from './admission.js';
export { BODY_LIMIT_BYTES, createHttpServer, type HttpServerOptions } from './http-server.js';
export { goesOnAfterAnswer, IdempotencyGate, operationOf, recording, replayHeaders } from './idempotency-gate.js';
export { type WriteConcern } from './write-concern.js';
export {
  malformedField,
  nextPageLink,
  type PageRequest,
  parseAmount,
  parseChoice,
  parseId,
  parsePage,
  parseShopId,
  parseUuid,
  parseUuidPage,
} from './parameters.js';
export { answerProblems, sendProblem } from './problem-answers.js';
export { ADDED_KEY_HEADER, incarnationOf, KEY_MADE_FOR_HEADER, keyOwnerOf } from './key-owner.js';
export { countHeldKeys, KeyQuota, tooManyKeys, tooManyUndos } from './key-quota.js';
export { scopeOf } from './operation-scope.js';
export { originHeaders } from './cors.js';
export { refusalOfHost } from './host.js';
export { isPrintable, PRINTABLE_RULE } from './printable.js';
export { problemHeaders, problemOf, problemWithMessage, toAppError } from './problem.js';
export { ProblemFilter } from './problem.filter.js';
export { PAGE_QUERIES, type QueryNames } from './query-names.js';
export { BodyMemory, type BodyShare, receiveBody } from './received-body.js';
export { isAcceptableRequestId } from './request-id.js';
export { withoutOrigin } from './request-target.js';
export { notServed } from './routes.js';
export { commitOf, whenCurrent } from './min-seq.js';
export { type OpenRequests, shuttingDown, useOpenRequests } from './open-requests.js';
export { closeServing, LISTEN_BACKLOG, listenOn, requestIds, untilPortIsFree } from './serving.js';
export { SECURITY_HEADERS } from './security-headers.js';
export { answerUnparsable, mayArriveSlowly } from './unparsable.js';
export { acceptedSchema, boundedText, noBodySchema } from './schemas.js';
export { answerReplicated } from './replicated-write.js';
export { useWriteStop } from './write-stop.js';
