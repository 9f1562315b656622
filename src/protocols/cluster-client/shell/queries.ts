/** Read-only queries about nodes and their groups. */
import { z } from 'zod';
import type { GroupReading, ListReading, NodeReading, StatusReading } from '../reports.js';
import { type NodeAnswer, saidBy } from './node-calls.js';
import { type Ask, groupsSchema, lookAt, OPERATION_ID } from './node-requests.js';

const aboutSchema = z.object({ name: z.string().exactOptional(), version: z.string().exactOptional() });

type NodeStatus = StatusReading['nodes'][number];

export async function readGroup(
  nodes: readonly string[],
  askOf: (node: string) => Ask,
  groupId: string,
  id: string,
): Promise<GroupReading> {
  const queries = await Promise.all(
    nodes.map(async (node) => {
      const look = await lookAt(askOf(node), id, { kind: 'create', groupId });
      return look.state === 'silent'
        ? { node, isReachable: false, cause: look.cause }
        : { node, isReachable: true, isThere: look.groups.length > 0 };
    }),
  );
  return { groupId, where: whereOf(queries), nodes: queries };
}

function whereOf(nodes: GroupReading['nodes']): GroupReading['where'] {
  const isSomewhere = nodes.some(({ isThere }) => isThere === true);
  const isMissing = nodes.some(({ isThere }) => isThere === false);
  if (isSomewhere && isMissing) return 'some';
  if (nodes.some(({ isReachable }) => !isReachable)) return 'unknown';
  return isSomewhere ? 'all' : 'none';
}

export async function listGroups(nodes: readonly string[], askOf: (node: string) => Ask): Promise<ListReading> {
  const owners = new Map<string, string[]>();
  const queries = await Promise.all(
    nodes.map(async (node): Promise<NodeReading & { readonly groups: readonly string[] }> => {
      const { groups, ...reading } = await groupsOf(node, askOf(node));
      return { ...reading, groups: groups ?? [] };
    }),
  );
  for (const { node, groups } of queries) {
    for (const groupId of new Set(groups)) owners.set(groupId, [...(owners.get(groupId) ?? []), node]);
  }
  const groups = [...owners].map(([groupId, on]) => ({ groupId, nodes: on })).toSorted(byGroupId);
  const isConsistent =
    queries.every(({ isReachable }) => isReachable) && groups.every(({ nodes: on }) => on.length === nodes.length);
  return { groups, nodes: queries.map(({ groups: _groups, ...reading }) => reading), isConsistent };
}

export function statusOf(nodes: readonly string[], askOf: (node: string) => Ask, id: string): Promise<NodeStatus[]> {
  return Promise.all(
    nodes.map(async (node): Promise<NodeStatus> => {
      const ask = askOf(node);
      const { groups, knowsOperationIds, ...reading } = await groupsOf(node, ask, id);
      if (groups === undefined) return reading;
      const about = aboutSchema.safeParse((await ask({ method: 'GET', path: '/' })).answer?.body).data ?? {};
      return { ...reading, ...about, groups: groups.length, knowsOperationIds: knowsOperationIds === true };
    }),
  );
}

async function groupsOf(
  node: string,
  ask: Ask,
  id?: string,
): Promise<NodeReading & { readonly groups?: readonly string[]; readonly knowsOperationIds?: boolean }> {
  const headers = id === undefined ? {} : { [OPERATION_ID]: id };
  const end = await ask({ method: 'GET', path: '/v1/groups', headers });
  const { answer } = end;
  if (answer === undefined) return { node, isReachable: false, cause: end.cause };
  const groups = idsIn(answer);
  if (groups === undefined) return { node, isReachable: false, cause: saidBy(answer) };
  const reading = { node, isReachable: true, groups };
  return id === undefined ? reading : { ...reading, knowsOperationIds: answer.headers.get(OPERATION_ID) === id };
}

function idsIn({ status, body }: NodeAnswer): readonly string[] | undefined {
  const parsed = groupsSchema.safeParse(body);
  return status === 200 && parsed.success ? parsed.data.groups.map(({ groupId }) => groupId) : undefined;
}

function byGroupId(left: { readonly groupId: string }, right: { readonly groupId: string }): number {
  return left.groupId < right.groupId ? -1 : left.groupId > right.groupId ? 1 : 0;
}
