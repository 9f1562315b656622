/** What is asked of all nodes. `clear` removes every group. */
export type Wanted =
  | { readonly kind: 'create'; readonly groupId: string }
  | { readonly kind: 'delete'; readonly groupId: string }
  | { readonly kind: 'clear' };

/**
 * How a node stands in an operation.
 * - `untouched`: nothing was asked of it that could change it.
 * - `done`: it did what was asked.
 * - `already`: it was as it should be before (nothing to delete there).
 * - `refused`: it answered no, and is as it was.
 * - `unreachable`: it never got what was asked, and is as it was.
 * - `rolled-back`: what this operation did there is undone, and will not be done later.
 * - `unknown`: whether it did what was asked cannot be told.
 */
export type NodeStatus = 'untouched' | 'done' | 'already' | 'refused' | 'unreachable' | 'rolled-back' | 'unknown';

/** Of a node that does not know operation ids: what stood there before, of the groups that the operation is about. */
export interface PlainNode {
  readonly before: readonly string[];
}

export interface IntentNode {
  /** `host:port`. */
  readonly name: string;
  readonly plain?: PlainNode;
  readonly status: NodeStatus;
  /** It did, or may yet do, what was asked: only an undo makes sure of the contrary. */
  readonly isTouched: boolean;
  /** Why it is not `done`, for people. */
  readonly cause?: string;
}

/**
 * What is durable before a node is asked for anything: enough for another process to bring the operation to an end.
 * - `undecided`: nobody was told how it ends.
 * - `forward`: nothing stands against it; nodes that do not know operation ids have not said yes.
 * - `backward`: it is being undone.
 */
export interface Intent {
  readonly id: string;
  readonly wanted: Wanted;
  readonly startedAtMs: number;
  readonly direction: 'undecided' | 'forward' | 'backward';
  /** The first one decides. */
  readonly nodes: readonly IntentNode[];
}

export function newIntent(id: string, wanted: Wanted, nodes: readonly string[], startedAtMs: number): Intent {
  return {
    ...{ id, wanted, startedAtMs, direction: 'undecided' },
    nodes: nodes.map((name) => ({ name, status: 'untouched', isTouched: false })),
  };
}
