import type { LamportTime } from '../../kernel/index.js';
import type { NodeStatus, Wanted } from './core/intent.js';
import type { Outcome } from './core/operation.js';
import type { Ended } from './shell/run-operation.js';

export interface NodeReport {
  readonly node: string;
  readonly status: NodeStatus;
  /** The number of calls to the node, over all steps. */
  readonly attempts: number;
  /** Total milliseconds spent on the node, including waits between attempts. */
  readonly ms: number;
  /** Why the status is not `done`, for people. */
  readonly cause?: string;
}

/**
 * The end of an operation.
 * - `done`: on every node, for good.
 * - `refused`: on no node; all nodes showed that at once.
 * - `rolled-back`: on no node; every change is undone.
 * - `left`: unfinished because a person chose so; nodes may differ.
 * - `open`: the outcome at the `unknown` nodes is not known yet; `repair` or the next operation finishes it.
 */
export interface OperationReport {
  readonly operationId: string;
  readonly wanted: Wanted;
  readonly outcome: Outcome;
  readonly reason?: string;
  /** The first node decides. */
  readonly nodes: readonly NodeReport[];
  readonly ms: number;
  /** Nodes have forgotten this old operation; only a person can correct its result. */
  readonly isForgotten?: true;
  /** Open operations that were resumed before this one. */
  readonly repaired: readonly OperationReport[];
}

export interface NodeReading {
  readonly node: string;
  readonly isReachable: boolean;
  readonly cause?: string;
}

export interface GroupReading {
  readonly groupId: string;
  /** `unknown` when a node did not answer and the others do not already show `some`. */
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
  readonly startedAtMs: number;
}

export interface StatusReading {
  readonly nodes: readonly (NodeReading & {
    readonly name?: string;
    readonly version?: string;
    readonly groups?: number;
    readonly knowsOperationIds?: boolean;
  })[];
  /** Unfinished operations of clients that are gone or that left them open. */
  readonly open: readonly OpenOperation[];
  /** Operations that clients in other processes are running on the same directory. */
  readonly withOthers: readonly OpenOperation[];
}

export interface NodeVersion extends NodeReading {
  /** The highest version that the node has met; absent when it does not answer or knows no versions. */
  readonly met?: LamportTime;
  /** The earlier version of a node that lagged and was raised. */
  readonly raisedFrom?: LamportTime;
  /** The version is far above what most nodes have met, and was not spread. */
  readonly isFarAhead?: true;
}

export interface RepairReport {
  readonly repaired: readonly OperationReport[];
  readonly open: number;
  readonly withOthers: readonly OpenOperation[];
  /** Covers every node; empty when a single operation was repaired. `cause` says why a version is unknown or was not raised. */
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
