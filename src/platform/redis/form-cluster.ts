import { setTimeout as delay } from 'node:timers/promises';
import { type ClusterStep, missingOf, planCluster } from './cluster-plan.js';
import { lackIn, viewOf, withNode } from './node-connection.js';
import type { Lack, NodeView, RedisEndpoint } from './node-view.js';

const LOOK_EVERY_MS = 50;
/** Nodes that know each other by their old addresses find the new ones after their node timeout. */
const WITHIN_MS = 30_000;

interface FormOptions {
  readonly withinMs?: number | undefined;
  /** Ends the work early; what is missing at that time is returned. */
  readonly signal?: AbortSignal;
}

/**
 * Makes one cluster of the given nodes, half of them masters, and waits until every node answers for all slots and every replica
 * follows its master. Nodes that were a cluster are joined again, also on other ports: their slots and roles stay. Returns what
 * is missing when the time is over, undefined when nothing is. May run twice at a time, and again after it died half way.
 */
export async function formCluster(
  endpoints: readonly RedisEndpoint[],
  password: string | undefined,
  { withinMs = WITHIN_MS, signal }: FormOptions = {},
): Promise<string | undefined> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const { views, refusals } = await lookAt(endpoints, password);
    const steps = planCluster(endpoints, views);
    // A refused step is not over: the next look decides again.
    await Promise.allSettled(steps.map((step) => carryOut(step, password)));
    const missing = missingOf(endpoints, views, refusals);
    if (missing === undefined && steps.length === 0) return undefined;
    if (signal?.aborted === true || performance.now() > deadline) return missing ?? 'the nodes are still joining';
    await delay(LOOK_EVERY_MS);
  }
}

export interface ClusterLook {
  /** The views of the nodes that tell what they know, in the order of the endpoints. */
  readonly views: readonly NodeView[];
  /** Of the nodes that answer with an error. */
  readonly refusals: ReadonlyMap<RedisEndpoint, Lack>;
}

export async function lookAt(
  endpoints: readonly RedisEndpoint[],
  password: string | undefined,
  deadlineMs?: number,
): Promise<ClusterLook> {
  const looks = await Promise.allSettled(endpoints.map((endpoint) => viewOf(endpoint, password, deadlineMs)));
  const refusals = endpoints.flatMap((endpoint, index): [RedisEndpoint, Lack][] => {
    const look = looks[index];
    const lack = look?.status === 'rejected' ? lackIn(look.reason) : undefined;
    return lack === undefined ? [] : [[endpoint, lack]];
  });
  const views = looks.flatMap((look) => (look.status === 'fulfilled' ? [look.value] : []));
  return { views, refusals: new Map(refusals) };
}

/** The views of `lookAt`. */
export async function viewsOf(
  endpoints: readonly RedisEndpoint[],
  password: string | undefined,
): Promise<readonly NodeView[]> {
  return (await lookAt(endpoints, password)).views;
}

function carryOut(step: ClusterStep, password: string | undefined): Promise<unknown> {
  return withNode(step.at, password, async (node) => {
    switch (step.kind) {
      case 'meet':
        return node.cluster('MEET', step.other.host, step.other.port);
      case 'add-slots':
        return node.cluster('ADDSLOTSRANGE', ...(step.slots.flat() as [number, number]));
      case 'replicate':
        return node.cluster('REPLICATE', step.masterId);
      case 'forget':
        return node.cluster('FORGET', step.id);
    }
  });
}
