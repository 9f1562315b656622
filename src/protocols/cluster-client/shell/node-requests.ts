/** The requests of an operation's steps to a node, and the meaning of the answers. */
import { z } from 'zod';
import { compareLamport, type LamportTime, parseLamport } from '../../../kernel/index.js';
import type { Wanted } from '../core/intent.js';
import type { WriteAnswer } from '../core/node-status.js';
import { isAsWanted, type Look } from '../core/look.js';
import type { Contrary, UndoOptions } from '../core/operation.js';
import { type Call, type CallEnd, isBroken, type NodeAnswer, saidBy } from './node-calls.js';

export const OPERATION_ID = 'x-operation-id';
const VERSION = 'x-group-version';
const AFTER = 'x-group-version-after';
const UNDO = 'x-undo';

/** Calls a node, with retries. */
export type Ask = (call: Call) => Promise<CallEnd>;

const groupSchema = z.object({ groupId: z.string() });
export const groupsSchema = z.object({ groups: z.array(groupSchema) });
const problemSchema = z.object({ code: z.string() });

/** A node that answers with this code has no groups at all. */
const NO_ROUTE = 'route-not-found';

const GROUP = '/v1/group';
const GROUPS = '/v1/groups';

const MAX_SEGMENT_LENGTH = 1_000;
/** Some servers misread slashes and control characters, even percent-encoded ones. */
const NOT_EVERYWHERE = /[/\\\p{Cc}]/u;
/** `.` and `..` mean folders in URLs, and servers limit the length of a segment. */
const isSegment = (groupId: string): boolean =>
  !['.', '..'].includes(groupId) &&
  !NOT_EVERYWHERE.test(groupId) &&
  encodeURIComponent(groupId).length <= MAX_SEGMENT_LENGTH;

/** Reads which of the operation's groups exist, and whether the node knows operation ids: such a node returns `id`. */
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
  // A server that answers any path with a page of its own says nothing about a group.
  return status === 200 && groupSchema.safeParse(body).data?.groupId === groupId ? [groupId] : undefined;
}

export interface WriteOptions {
  readonly version?: LamportTime;
  /** For the first node: what its version must exceed. */
  readonly after?: LamportTime;
  readonly knowsIds: boolean;
  /** The operation's groups that existed on the node before. */
  readonly before: readonly string[];
}

/**
 * Sends the request of the operation. A node that reports a failure has ended the request, so a look follows at once. A node that
 * knows operation ids is asked once more before the look, because it carries out nothing twice.
 */
export async function write(ask: Ask, id: string, wanted: Wanted, options: WriteOptions): Promise<WriteAnswer> {
  const { version, after, knowsIds } = options;
  const headers = {
    [OPERATION_ID]: id,
    ...(version !== undefined && { [VERSION]: String(version) }),
    ...(after !== undefined && { [AFTER]: String(after) }),
  };
  const end = await askUnbroken(ask, { ...requestFor(wanted), headers }, knowsIds);
  const { answer } = end;
  const status = statusAfter(end);
  if (answer === undefined) return { result: 'failed', ...status, cause: end.cause };
  if (isBroken(answer)) return afterBreak(await lookAt(ask, id, wanted), wanted, options, end, saidBy(answer));
  // A page of another server, or an invalid answer, does not say what the node did.
  if (isGood(answer) && !saysDone(wanted, answer)) return { result: 'failed', mayLand: true, cause: saidBy(answer) };
  const result = meaning(wanted, answer);
  const given = versionIn(answer);
  return {
    ...{ result, ...status },
    ...(given !== undefined && { version: given }),
    ...(result !== 'done' && { cause: saidBy(answer) }),
  };
}

/** A node that knows operation ids carries out nothing twice. */
async function askUnbroken(ask: Ask, call: Call, isTwice: boolean): Promise<CallEnd & { readonly wasBroken?: true }> {
  const first = await ask(call);
  if (!isTwice || first.answer === undefined || !isBroken(first.answer)) return first;
  const second = await ask(call);
  return { ...second, mayLand: first.mayLand || second.mayLand, wasBroken: true };
}

/** A request that failed once may have been carried out, even when the second answer does not say so. */
export function statusAfter({
  mayLand,
  wasBroken,
}: {
  readonly mayLand: boolean;
  readonly wasBroken?: true;
}): Pick<WriteAnswer, 'mayLand' | 'isOver'> {
  if (mayLand || wasBroken !== true) return { mayLand };
  return { mayLand: true, isOver: true };
}

/**
 * After a failure a look shows what a plain node did. Where operation ids are known, the group may belong to another client that
 * takes it back, and the node blocks no later operation. `mayLand`: whether an attempt was not answered.
 */
export function afterBreak(
  look: Look,
  wanted: Wanted,
  { knowsIds, before }: Pick<WriteOptions, 'knowsIds' | 'before'>,
  { mayLand }: { readonly mayLand: boolean },
  cause: string,
): WriteAnswer {
  const inDoubt = statusAfter({ mayLand, wasBroken: true });
  const wasAsBefore = isAsBefore(look, wanted, before);
  if (knowsIds) return { result: wasAsBefore ? 'refused' : 'failed', ...inDoubt, cause };
  // With nothing to delete, the wanted state is reached.
  const isAlready = wanted.kind !== 'create' && before.length === 0;
  if (wasAsBefore) return { result: isAlready ? 'absent' : 'refused', mayLand, cause };
  return isAsWanted(look, wanted, before) ? { result: 'done', mayLand } : { result: 'failed', ...inDoubt, cause };
}

/** Whether the operation's groups are as they were before it. */
function isAsBefore(look: Look, { kind }: Wanted, before: readonly string[]): boolean {
  if (look.state === 'silent') return false;
  return kind === 'create' ? look.groups.length === 0 : before.every((groupId) => look.groups.includes(groupId));
}

function versionIn({ headers }: NodeAnswer): LamportTime | undefined {
  return parseLamport(headers.get(VERSION) ?? '');
}

function requestFor(wanted: Wanted): Pick<Call, 'method' | 'path' | 'body'> {
  if (wanted.kind === 'clear') return { method: 'DELETE', path: GROUPS };
  return { method: wanted.kind === 'create' ? 'POST' : 'DELETE', path: GROUP, body: { groupId: wanted.groupId } };
}

const isGood = ({ status }: Pick<NodeAnswer, 'status'>): boolean => status >= 200 && status < 300;

const DONE = new Set([200, 201, 204]);

/** Accepts any body or none, because nodes differ in that, but neither a page nor another group. */
function saysDone(wanted: Wanted, answer: NodeAnswer): boolean {
  const { status, body } = answer;
  if (!DONE.has(status) || isPage(answer)) return false;
  const named = groupSchema.safeParse(body).data?.groupId;
  return wanted.kind === 'clear' || named === undefined || named === wanted.groupId;
}

/** The content type of an answer without a body means nothing. */
const isPage = ({ headers, isEmpty }: NodeAnswer): boolean =>
  isEmpty !== true && /html/i.test(headers.get('content-type') ?? '');

function meaning({ kind }: Wanted, { status, body }: NodeAnswer): WriteAnswer['result'] {
  if (isGood({ status })) return 'done';
  if (status >= 500 || status === 429 || status === 408) return 'failed';
  const { data } = problemSchema.safeParse(body);
  if (status === 409 && data?.code === 'undone') return 'undone';
  if (kind === 'create' && status === 400) return data === undefined || data.code === 'exists' ? 'exists' : 'refused';
  return kind === 'delete' && status === 404 && data?.code !== NO_ROUTE ? 'absent' : 'refused';
}

export interface UndoEnd {
  readonly isUndone: boolean;
  readonly cause?: string;
  /** The node says that it failed and has ended the request. */
  readonly isBroken?: true;
}

/**
 * Undoes by id, or on a plain node by the contrary request. When a node reports a failure and nothing can come later, another
 * look follows: a node whose groups are as they were before needs no undo.
 */
export async function undo(ask: Ask, id: string, wanted: Wanted, options: UndoOptions = {}): Promise<UndoEnd> {
  const { before, contrary } = options;
  const end = await (contrary ? undoByContrary(ask, contrary) : undoById(ask, id, wanted));
  if (end.isUndone || !end.isBroken || before === undefined) return end;
  return needsNoUndo(await lookAt(ask, id, wanted), wanted, before) ? { isUndone: true } : end;
}

/** A node that has met another version since may have carried out the operation below another client's change. */
export function needsNoUndo(
  look: Look,
  wanted: Wanted,
  { groups, version }: NonNullable<UndoOptions['before']>,
): boolean {
  if (!isAsBefore(look, wanted, groups) || look.state === 'silent') return false;
  return version === undefined || (look.version !== undefined && compareLamport(look.version, version) === 0);
}

/** On a node that knows operation ids: the operation is undone, and its late requests will be refused. */
async function undoById(ask: Ask, id: string, wanted: Wanted): Promise<UndoEnd> {
  const request = requestFor(wanted);
  // Undoing a delete counts as a kind of create.
  const method = wanted.kind === 'create' || wanted.kind === 'clear' ? 'DELETE' : 'POST';
  const call = { ...request, method, headers: { [OPERATION_ID]: id, [UNDO]: id } } as const;
  return undone(await askUnbroken(ask, call, true), new Set([200]));
}

/** On a plain node: requests the contrary, group by group. */
async function undoByContrary(ask: Ask, { remove, restore }: Contrary): Promise<UndoEnd> {
  const calls: readonly (readonly [Call, number])[] = [
    ...remove.map((groupId) => [{ method: 'DELETE', path: GROUP, body: { groupId } }, 404] as const),
    ...restore.map((groupId) => [{ method: 'POST', path: GROUP, body: { groupId } }, 400] as const),
  ];
  for (const [call, already] of calls) {
    const end = undone(await ask(call), new Set([...DONE, already]));
    if (!end.isUndone) return end;
  }
  return { isUndone: true };
}

function undone(end: CallEnd, good: ReadonlySet<number>): UndoEnd {
  const { answer } = end;
  if (answer === undefined) return { isUndone: false, cause: end.cause };
  // A refusal may be a page, because it changes nothing; a success that is a page comes from another server.
  if (good.has(answer.status) && !(isGood(answer) && isPage(answer))) return { isUndone: true };
  return { isUndone: false, cause: saidBy(answer), ...(isBroken(answer) && { isBroken: true }) };
}

/** Sends a node the version that others have met, and returns the version that the node has met then. */
export async function raise(
  ask: Ask,
  to: LamportTime,
): Promise<{ readonly met: LamportTime } | { readonly met?: undefined; readonly cause: string }> {
  const end = await ask({ method: 'PUT', path: `${GROUPS}/version`, headers: { [VERSION]: String(to) } });
  if (end.answer === undefined) return { cause: end.cause };
  const met = isGood(end.answer) ? versionIn(end.answer) : undefined;
  return met === undefined ? { cause: saidBy(end.answer) } : { met };
}
