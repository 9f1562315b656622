/** What the steps of an operation ask of a node, and what its answers mean. */
import { z } from 'zod';
import type { Wanted } from '../core/intent.js';
import type { WriteAnswer } from '../core/node-standing.js';
import type { Contrary, Look } from '../core/operation.js';
import { type Call, type CallEnd, type NodeAnswer, saidBy } from './node-calls.js';

export const OPERATION_ID = 'x-operation-id';
const VERSION = 'x-group-version';
const AFTER = 'x-group-version-after';
const UNDO = 'x-undo';

/** How a node is called, however often that takes. */
export type Ask = (call: Call) => Promise<CallEnd>;

const groupSchema = z.object({ groupId: z.string() });
export const groupsSchema = z.object({ groups: z.array(groupSchema) });
const problemSchema = z.object({ code: z.string() });

/** Whoever says so has no groups at all. */
const NO_ROUTE = 'route-not-found';

const GROUP = '/v1/group';
const GROUPS = '/v1/groups';

const LONGEST_SEGMENT = 1_000;
/** Two ids mean a folder in URLs, and servers take no segment of any length. */
const isSegment = (groupId: string): boolean =>
  groupId !== '.' && groupId !== '..' && encodeURIComponent(groupId).length <= LONGEST_SEGMENT;

/** What of the operation's groups stands there, and whether the node knows operation ids: it gives ours back. */
export async function lookAt(ask: Ask, id: string, wanted: Wanted): Promise<Look> {
  const groupId = wanted.kind === 'clear' || !isSegment(wanted.groupId) ? undefined : wanted.groupId;
  const path = groupId === undefined ? GROUPS : `${GROUP}/${encodeURIComponent(groupId)}`;
  const end = await ask({ method: 'GET', path, headers: { [OPERATION_ID]: id } });
  const { answer } = end;
  if (answer === undefined) return { state: 'silent', cause: end.cause };
  const found = groupId === undefined ? listed(answer, wanted) : single(answer, groupId);
  if (found === undefined) return { state: 'silent', cause: saidBy(answer) };
  const version = versionIn(answer);
  const understands = answer.headers.get(OPERATION_ID) === id;
  return { state: 'seen', understands, groups: found, ...(understands && version !== undefined && { version }) };
}

function listed({ status, body }: NodeAnswer, wanted: Wanted): readonly string[] | undefined {
  const parsed = groupsSchema.safeParse(body);
  if (status !== 200 || !parsed.success) return undefined;
  const ids = parsed.data.groups.map(({ groupId }) => groupId);
  return wanted.kind === 'clear' ? ids : ids.filter((groupId) => groupId === wanted.groupId);
}

function single({ status, body }: NodeAnswer, groupId: string): readonly string[] | undefined {
  if (status === 404) return problemSchema.safeParse(body).data?.code === NO_ROUTE ? undefined : [];
  // Whoever answers any path with a page of theirs says nothing of a group.
  return status === 200 && groupSchema.safeParse(body).data?.groupId === groupId ? [groupId] : undefined;
}

/** Asks for what the operation wants, at the place that the first node has given it, or for one above `after`. */
export async function write(
  ask: Ask,
  id: string,
  wanted: Wanted,
  { version, after }: { readonly version?: number; readonly after?: number } = {},
): Promise<WriteAnswer> {
  const headers = {
    [OPERATION_ID]: id,
    ...(version !== undefined && { [VERSION]: String(version) }),
    ...(after !== undefined && { [AFTER]: String(after) }),
  };
  const end = await ask({ ...requestFor(wanted), headers });
  const { answer, mayLand } = end;
  if (answer === undefined) return { result: 'failed', mayLand, cause: end.cause };
  // A page of somebody's, or an answer that is none: what has been done there cannot be told.
  if (isGood(answer) && !saysDone(wanted, answer)) return { result: 'failed', mayLand: true, cause: saidBy(answer) };
  const result = meaning(wanted, answer);
  const given = versionIn(answer);
  return {
    ...{ result, mayLand },
    ...(given !== undefined && { version: given }),
    ...(result !== 'done' && { cause: saidBy(answer) }),
  };
}

function versionIn({ headers }: NodeAnswer): number | undefined {
  const given = Number(headers.get(VERSION) ?? NaN);
  return Number.isSafeInteger(given) ? given : undefined;
}

function requestFor(wanted: Wanted): Pick<Call, 'method' | 'path' | 'body'> {
  if (wanted.kind === 'clear') return { method: 'DELETE', path: GROUPS };
  return { method: wanted.kind === 'create' ? 'POST' : 'DELETE', path: GROUP, body: { groupId: wanted.groupId } };
}

const isGood = ({ status }: Pick<NodeAnswer, 'status'>): boolean => status >= 200 && status < 300;

const DONE = new Set([200, 201, 204]);

/** With any body or none, as nodes differ in that; but no page, and no other group. */
function saysDone(wanted: Wanted, { status, headers, body }: NodeAnswer): boolean {
  if (!DONE.has(status) || /html/i.test(headers.get('content-type') ?? '')) return false;
  const named = groupSchema.safeParse(body).data?.groupId;
  return wanted.kind === 'clear' || named === undefined || named === wanted.groupId;
}

function meaning({ kind }: Wanted, { status, body }: NodeAnswer): WriteAnswer['result'] {
  if (isGood({ status })) return 'done';
  if (status >= 500 || status === 429) return 'failed';
  const { data } = problemSchema.safeParse(body);
  if (status === 409 && data?.code === 'undone') return 'undone';
  if (kind === 'create' && status === 400) return data === undefined || data.code === 'exists' ? 'exists' : 'refused';
  return kind === 'delete' && status === 404 && data?.code !== NO_ROUTE ? 'absent' : 'refused';
}

export interface UndoEnd {
  readonly isUndone: boolean;
  readonly cause?: string;
}

/** Of a node that knows operation ids: what the operation did is undone, and what of it comes later will be refused. */
export async function undoById(ask: Ask, id: string, wanted: Wanted): Promise<UndoEnd> {
  const request = requestFor(wanted);
  // What undoes the deleting of a group is a kind of creating it.
  const method = wanted.kind === 'create' || wanted.kind === 'clear' ? 'DELETE' : 'POST';
  return undone(await ask({ ...request, method, headers: { [OPERATION_ID]: id, [UNDO]: id } }), [200]);
}

/** Of a plain node: asks for the contrary, group by group. */
export async function undoByContrary(ask: Ask, { remove, restore }: Contrary): Promise<UndoEnd> {
  const calls: readonly (readonly [Call, readonly number[]])[] = [
    ...remove.map((groupId) => [{ method: 'DELETE', path: GROUP, body: { groupId } }, [200, 404]] as const),
    ...restore.map((groupId) => [{ method: 'POST', path: GROUP, body: { groupId } }, [201, 400]] as const),
  ];
  for (const [call, good] of calls) {
    const end = undone(await ask(call), good);
    if (!end.isUndone) return end;
  }
  return { isUndone: true };
}

function undone(end: CallEnd, good: readonly number[]): UndoEnd {
  if (end.answer === undefined) return { isUndone: false, cause: end.cause };
  return good.includes(end.answer.status) ? { isUndone: true } : { isUndone: false, cause: saidBy(end.answer) };
}
