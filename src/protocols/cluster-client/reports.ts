import type { LamportTime } from '../../kernel/index.js';
import type { NodeStatus, Wanted } from './core/intent.js';
import type { Outcome } from './core/operation.js';
import type { Ended } from './shell/run-operation.js';

/** How one node stands after an operation. */
export interface NodeReport {
  /** `host:port`. */
  readonly node: string;
  readonly status: NodeStatus;
  /** Calls to it, over all steps. */
  readonly attempts: number;
  /** Time spent on it in all, waits between attempts included, in milliseconds. */
  readonly ms: number;
  /** Why it is not `done`, for people. */
  readonly cause?: string;
}

/**
 * How an operation ended.
 * - `done`: on every node, for good.
 * - `refused`: on none; nothing stood in the way of seeing that at once.
 * - `rolled-back`: on none; what was done is undone.
 * - `left`: as it is, because a person said so: nodes may differ.
 * - `open`: cannot be told yet for the nodes that are `unknown`; `repair` or the next operation finishes it.
 */
export interface OperationReport {
  readonly operationId: string;
  readonly wanted: Wanted;
  readonly outcome: Outcome;
  readonly reason?: string;
  /** In the order of the nodes: the first one decides. */
  readonly nodes: readonly NodeReport[];
  readonly ms: number;
  /** It is so old that nodes have forgotten it: only a person can set it right. */
  readonly isForgotten?: true;
  /** Operations that were found open and taken up before this one. */
  readonly repaired: readonly OperationReport[];
}

export interface NodeReading {
  readonly node: string;
  readonly isReachable: boolean;
  readonly cause?: string;
}

export interface GroupReading {
  readonly groupId: string;
  /** `all`, `none`, `some`; `unknown` when a node did not answer and the others do not already say `some`. */
  readonly where: 'all' | 'none' | 'some' | 'unknown';
  readonly nodes: readonly (NodeReading & { readonly isThere?: boolean })[];
}

export interface ListReading {
  /** Sorted, each with the nodes that have it. */
  readonly groups: readonly { readonly groupId: string; readonly nodes: readonly string[] }[];
  readonly nodes: readonly NodeReading[];
  /** Every node answered, and all have the same groups. */
  readonly isConsistent: boolean;
}

export interface OpenOperation {
  readonly operationId: string;
  readonly wanted: Wanted;
  /** Milliseconds since the Unix epoch. */
  readonly startedAtMs: number;
}

export interface StatusReading {
  readonly nodes: readonly (NodeReading & {
    readonly name?: string;
    readonly version?: string;
    readonly groups?: number;
    readonly knowsOperationIds?: boolean;
  })[];
  /** Operations that are not finished, of clients that are gone or that left them open. */
  readonly open: readonly OpenOperation[];
  /** Those that clients in other processes have in hand now, on the same directory. */
  readonly withOthers: readonly OpenOperation[];
}

/** How far a node is, after a repair. */
export interface NodeVersion extends NodeReading {
  /** The highest version that it has met; absent where it does not say, or knows no versions. */
  readonly met?: LamportTime;
  /** It lagged, and was raised from here. */
  readonly raisedFrom?: LamportTime;
  /** Far above what most nodes have met, which was not spread. */
  readonly isFarAhead?: true;
}

export interface RepairReport {
  readonly repaired: readonly OperationReport[];
  /** How many are still open. */
  readonly open: number;
  /** As of `StatusReading`. */
  readonly withOthers: readonly OpenOperation[];
  /** Of every node; empty when one operation alone was repaired. `cause`: why it is not known, or was not raised. */
  readonly versions: readonly NodeVersion[];
}

export function reportOf(ended: Ended, ms: number, repaired: readonly OperationReport[] = []): OperationReport {
  const { intent, outcome, reason, spent } = ended;
  return {
    ...{ operationId: intent.id, wanted: intent.wanted, outcome },
    ...(reason !== undefined && { reason }),
    nodes: intent.nodes.map(({ name, status, cause }) => ({
      ...{ node: name, status, attempts: spent.get(name)?.attempts ?? 0, ms: Math.round(spent.get(name)?.ms ?? 0) },
      ...(cause !== undefined && { cause }),
    })),
    ms: Math.round(ms),
    repaired,
  };
}
