/** Raises nodes that lag or are new to the version that most nodes have met; never lowers a node. */
import { compareLamport, earlierOf, type LamportTime, maxRaise } from '../../../kernel/index.js';
import type { Look } from '../core/look.js';
import { isFarAhead, metByMajority } from '../core/version-bounds.js';
import type { NodeVersion } from '../reports.js';
import { type Ask, lookAt, raise } from './node-requests.js';

/** A node accepts one leap per request. */
const MAX_LEAPS = 1_000;

/**
 * The goal is the version met by a majority of all nodes that know versions or do not answer; a version that fewer nodes have met
 * is not spread. `to` overrides the goal.
 */
export async function raiseNodes(
  nodes: readonly string[],
  askOf: (node: string) => Ask,
  id: string,
  to?: LamportTime,
): Promise<readonly NodeVersion[]> {
  const looks = await Promise.all(nodes.map((node) => lookAt(askOf(node), id, { kind: 'clear' })));
  const met = looks.flatMap((look) => metBy(look) ?? []);
  const goal = to ?? metByMajority(met, looks.filter(mayKnowVersions).length);
  const raised = await Promise.all(
    nodes.map((node, index) => raiseNode(node, askOf(node), looks[index] ?? SILENT, goal)),
  );
  return raised.map((one) =>
    goal !== undefined && one.met !== undefined && isFarAhead(one.met, goal) ? { ...one, isFarAhead: true } : one,
  );
}

const SILENT: Look = { state: 'silent', cause: 'the node was not asked' };
const metBy = (look: Look): LamportTime | undefined =>
  look.state === 'seen' && look.understands ? look.version : undefined;
const mayKnowVersions = (look: Look): boolean => look.state === 'silent' || metBy(look) !== undefined;

async function raiseNode(node: string, ask: Ask, look: Look, goal: LamportTime | undefined): Promise<NodeVersion> {
  if (look.state === 'silent') return { node, isReachable: false, cause: look.cause };
  const from = metBy(look);
  if (from === undefined) return { node, isReachable: true };
  let met = from;
  for (let leap = 0; goal !== undefined && compareLamport(met, goal) < 0; leap += 1) {
    const reached =
      leap < MAX_LEAPS ? await raise(ask, earlierOf(goal, maxRaise(met))) : { cause: 'the node is too far behind' };
    if (reached.met === undefined) return { node, isReachable: true, met, cause: reached.cause };
    met = reached.met;
  }
  return { node, isReachable: true, met, ...(met !== from && { raisedFrom: from }) };
}
