/** `clear` removes every group. */
export type Wanted =
  | { readonly kind: 'create'; readonly groupId: string }
  | { readonly kind: 'delete'; readonly groupId: string }
  | { readonly kind: 'clear' };

/**
 * The status of a node in an operation.
 * - `untouched`: the node got no request that could change it.
 * - `done`: it carried out the request.
 * - `already`: it was in the wanted state before (nothing to delete).
 * - `refused`: it answered no, and is unchanged.
 * - `unreachable`: it never got the request, and is unchanged.
 * - `rolled-back`: the operation's change is undone there, and will not be made later.
 * - `unknown`: whether it carried out the request is unknown.
 */
export type NodeStatus = 'untouched' | 'done' | 'already' | 'refused' | 'unreachable' | 'rolled-back' | 'unknown';

/** For a node that does not know operation ids: which of the operation's groups existed there before. */
export interface PlainNode {
  readonly before: readonly string[];
}

export interface IntentNode {
  readonly name: string;
  readonly plain?: PlainNode;
  readonly status: NodeStatus;
  /** The node carried out the request, or may do so later; only an undo rules it out. */
  readonly isTouched: boolean;
  /** Why the status is not `done`, for people. */
  readonly cause?: string;
}

/**
 * Durable before a node is asked for anything; it lets another process finish the operation.
 * - `undecided`: no outcome was reported.
 * - `forward`: only the answers of nodes that do not know operation ids are missing.
 * - `backward`: the operation is being undone.
 */
export interface Intent {
  readonly id: string;
  readonly wanted: Wanted;
  readonly startedAtMs: number;
  readonly direction: 'undecided' | 'forward' | 'backward';
  /** The first node decides. */
  readonly nodes: readonly IntentNode[];
}

export function newIntent(id: string, wanted: Wanted, nodes: readonly string[], startedAtMs: number): Intent {
  return {
    ...{ id, wanted, startedAtMs, direction: 'undecided' },
    nodes: nodes.map((name) => ({ name, status: 'untouched', isTouched: false })),
  };
}
