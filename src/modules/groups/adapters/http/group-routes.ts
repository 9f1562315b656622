import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError, type Clock, type Log } from '../../../../kernel/index.js';
import {
  addressOf,
  keyOwnerOf,
  type KeyQuota,
  malformedField,
  tooManyKeys,
  tooManyUndos,
  validBody,
} from '../../../../platform/http/index.js';
import { noInputSchema } from './group.schemas.js';
import type { GroupOp, GroupOutcome } from '../../core/group-history.js';
import type { OperationKind } from '../../core/known-operation.js';
import type { GroupStore } from '../../group-store.js';
import { type GroupRequest, groupRequest, operationIdIn, tooFar, tooFarToRaise, versionIn } from './group-requests.js';

export interface GroupRoutesOptions {
  readonly store: Pick<GroupStore, 'all' | 'has' | 'version' | 'kindOf' | 'apply' | 'raise'>;
  /** `host:port`, as callers address this node. */
  readonly nodeId: () => string;
  readonly newId: () => string;
  /** For operations whose id or key the caller has named; each is known for a day. */
  readonly quota: KeyQuota;
  /** For undos of operations that have not arrived; each is known for a day too. */
  readonly undoQuota: KeyQuota;
  readonly clock: Clock;
  readonly log: Log;
}

/** Every answer returns the caller's `X-Operation-Id`, which shows that this node knows operation ids. */
export function serveGroups(server: FastifyInstance, options: GroupRoutesOptions): void {
  const { store, nodeId } = options;
  const shown = (groupId: string): object => ({ groupId, nodeId: nodeId() });
  void server.register((routes, _options, done) => {
    // Unlike onRequest, onSend also covers requests that are refused before the route.
    routes.addHook('onSend', (request, reply, payload, next) => {
      const id = operationIdIn(request);
      if (id !== undefined) void reply.header('x-operation-id', id);
      // A look before an operation must learn the version to exceed.
      if (id !== undefined && request.method === 'GET') void reply.header('x-group-version', String(store.version));
      next(null, payload);
    });
    routes.get('/v1/groups', () => ({ nodeId: nodeId(), groups: store.all().map(shown) }));
    routes.get<{ Params: { groupId: string } }>('/v1/group/:groupId', (request, reply) => {
      const { groupId } = request.params;
      if (!store.has(groupId)) throw notFound(groupId);
      return reply.send(shown(groupId));
    });
    routes.post('/v1/group', (request, reply) => change('create', request, reply, options));
    routes.delete('/v1/group', (request, reply) => change('delete', request, reply, options));
    routes.put('/v1/groups/version', (request, reply) => raise(request, reply, options));
    routes.delete('/v1/groups', (request, reply) => change('clear', request, reply, options));
    done();
  });
}

async function change(
  kind: OperationKind,
  request: FastifyRequest,
  reply: FastifyReply,
  options: GroupRoutesOptions,
): Promise<FastifyReply> {
  const { store, newId, nodeId, log } = options;
  const about: Record<string, unknown> = { requestId: request.id, node: nodeId(), operation: kind };
  try {
    about['operationId'] = operationIdIn(request);
    const asked = groupRequest(request, kind, newId);
    const op = {
      ...asEarlier(asked, store),
      ...(asked.isNamed && { owner: keyOwnerOf({ caller: request.caller, ip: addressOf(request) }) }),
    };
    Object.assign(about, { operationId: op.id, groupId: op.groupId }, op.type === 'undo' && { operation: 'undo' });
    request.atStop = () => unknownYet(op.id);
    const outcome = refusedAtOnce(asked, store) ?? (await applied(op, options));
    const refusal = refusalOf(outcome, asked);
    if (asked.isNamed && 'version' in outcome) void reply.header('x-group-version', String(outcome.version));
    if (asked.isKeyed && 'isRepeat' in outcome && outcome.isRepeat) void reply.header('idempotency-replayed', 'true');
    if (refusal !== undefined) throw refusal;
    log.info('group operation', { ...about, outcome: outcome.result });
    return answer(kind, outcome, asked, reply, nodeId());
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: unknown };
    log.warn('group operation refused', { ...about, outcome: code, cause: message });
    throw error;
  }
}

/**
 * Never refuses to undo a known operation, because removals must stay possible. Undos of unknown operations have their own quota,
 * so that operations cannot exhaust it.
 */
async function applied(op: GroupOp, options: GroupRoutesOptions): Promise<GroupOutcome> {
  const { store, clock } = options;
  const { owner } = op;
  if (owner === undefined || store.kindOf(op.id) !== undefined) return store.apply(op);
  const quota = op.type === 'undo' ? options.undoQuota : options.quota;
  const fullForMs = quota.fullFor(owner, clock.nowMs());
  if (fullForMs !== undefined) throw (op.type === 'undo' ? tooManyUndos : tooManyKeys)(quota, fullForMs);
  quota.reserve(owner);
  try {
    const outcome = await store.apply(op);
    if (outcome.result !== 'too-far') quota.add(owner, clock.nowMs());
    return outcome;
  } finally {
    quota.release(owner);
  }
}

/** Uses the id that an earlier version recorded, if any. */
function asEarlier({ op, earlierId }: GroupRequest, store: Pick<GroupStore, 'kindOf'>): GroupOp {
  return earlierId !== undefined && store.kindOf(earlierId) === op.kind ? { ...op, id: earlierId } : op;
}

/** Tells this node what others have met, so that it gives no lower version and accepts theirs. */
async function raise(
  request: FastifyRequest,
  reply: FastifyReply,
  { store, nodeId, log }: GroupRoutesOptions,
): Promise<FastifyReply> {
  validBody(noInputSchema, request.body, []);
  const asked = versionIn(request, 'x-group-version');
  if (asked === undefined) throw malformedField('validation-failed', 'X-Group-Version', 'is missing');
  const raised = await store.raise(asked);
  if (raised === undefined) throw tooFarToRaise(store.version);
  const version = String(raised);
  log.info('group version raised', { requestId: request.id, node: nodeId(), asked: String(asked), version });
  const message = `the highest version that this node has seen is ${version}`;
  return reply.header('x-group-version', version).send({ message, nodeId: nodeId(), version });
}

/** Nobody repeats a request without an operation id, so a refusal that changes nothing is not recorded. */
function refusedAtOnce(
  { op, isNamed }: GroupRequest,
  store: Pick<GroupStore, 'has' | 'version'>,
): GroupOutcome | undefined {
  if (isNamed || op.groupId === undefined) return undefined;
  const isThere = store.has(op.groupId);
  const about = { version: store.version, isRepeat: false };
  if (op.kind === 'create' && isThere) return { result: 'exists', ...about };
  return op.kind === 'delete' && !isThere ? { result: 'not-found', ...about } : undefined;
}

function refusalOf(outcome: GroupOutcome, { op, isKeyed }: GroupRequest): AppError | undefined {
  const { id, groupId = '' } = op;
  switch (outcome.result) {
    case 'too-far':
      return op.type === 'do' ? tooFar(op, outcome.met) : undefined;
    case 'overtaken': {
      const what = op.kind === 'create' ? 'deleted' : 'created';
      const message = `group ${groupId} is unchanged: an operation with a version above ${String(outcome.version)} has ${what} it`;
      return new AppError('overtaken', message, { retry: 'never' });
    }
    case 'exists':
      return new AppError('exists', `group ${groupId} already exists`, { retry: 'never' });
    case 'not-found':
      return notFound(groupId);
    case 'undone':
      return new AppError('undone', `operation ${id} was undone on this node, so it has no effect`, { retry: 'never' });
    case 'reused':
      return new AppError(
        'idempotency-key-reused',
        `${isKeyed ? 'this Idempotency-Key' : `operation ${id}`} was used before for a different request`,
        { retry: 'never' },
      );
    case 'done':
    case 'undo-done':
      return undefined;
  }
}

function answer(
  kind: OperationKind,
  outcome: GroupOutcome,
  { op }: GroupRequest,
  reply: FastifyReply,
  nodeId: string,
): FastifyReply {
  const { groupId } = op;
  if (outcome.result === 'undo-done') {
    const message = `operation ${op.id} was undone on this node`;
    return reply.send({ message, nodeId, ...(groupId !== undefined && { groupId, present: outcome.isThere }) });
  }
  if (groupId === undefined) {
    const removed = outcome.result === 'done' ? outcome.removed : 0;
    return reply.send({ message: `${String(removed)} ${removed === 1 ? 'group is' : 'groups are'} deleted` });
  }
  if (kind === 'delete') return reply.send({ message: `group ${groupId} is deleted` });
  return reply
    .code(201)
    .header('location', `/v1/group/${encodeURIComponent(groupId)}`)
    .send({ groupId, nodeId });
}

/** The operation is on its way to the disk. */
function unknownYet(id: string): AppError {
  const message = `this node is stopping: send operation ${id} again with X-Operation-Id to learn its outcome`;
  return new AppError('outcome-unknown', message, { retry: 'unknown' });
}

function notFound(groupId: string): AppError {
  return new AppError('not-found', `group ${groupId} does not exist on this node`, { retry: 'never' });
}
