import type { LamportTime } from '../../../kernel/index.js';
import type { IntentNode, NodeStatus } from './intent.js';

export interface WriteAnswer {
  /**
   * `absent`: there was nothing to delete. `exists`: the group existed already. `undone`: the operation had been undone before.
   * `failed`: no conclusive answer.
   */
  readonly result: 'done' | 'absent' | 'exists' | 'refused' | 'undone' | 'failed';
  /** An unanswered attempt may have been carried out, or may be later. */
  readonly mayLand: boolean;
  /** The node itself answered every attempt, so it will not carry out anything later. */
  readonly isOver?: true;
  /** Present when the node knows operation ids. */
  readonly version?: LamportTime;
  readonly cause?: string;
}

/** The node may still carry out an attempt that it did not itself answer, at any time. */
export const comesLate = ({ mayLand, isOver }: WriteAnswer): boolean => mayLand && isOver !== true;
export const isPlain = ({ plain }: IntentNode): boolean => plain !== undefined;
export const isGood = ({ status }: IntentNode): boolean => status === 'done' || status === 'already';

/** The status while the operation is undecided. */
export function statusAfter(node: IntentNode, { result, mayLand }: WriteAnswer): NodeStatus {
  const isUnsure = isPlain(node) && mayLand;
  switch (result) {
    case 'done':
      return 'done';
    case 'absent':
      return isUnsure && (node.plain?.before.length ?? 0) > 0 ? 'unknown' : 'already';
    case 'exists':
    case 'refused':
      return isUnsure ? 'unknown' : 'refused';
    case 'undone':
      return 'rolled-back';
    case 'failed':
      return mayLand ? 'unknown' : 'unreachable';
  }
}

/** A node in the wanted state counts as done, no matter which client changed it. */
export function forwardStatus({ result }: WriteAnswer): NodeStatus {
  if (result === 'done') return 'done';
  return result === 'absent' || result === 'exists' ? 'already' : 'unknown';
}

/** Whether the node carried out the request, or may do so later. */
export function isTouchedAfter(node: IntentNode, status: NodeStatus, { mayLand }: WriteAnswer): boolean {
  switch (status) {
    case 'done':
    case 'unknown':
      return true;
    case 'already':
      // On a node that knows operation ids, a delete that found nothing still overrides slower operations below it.
      return !isPlain(node);
    case 'refused':
      return mayLand;
    case 'rolled-back':
    case 'unreachable':
    case 'untouched':
      return false;
  }
}

/** Lists each cause once, with its nodes; undefined when there is none. */
export function reasonOf(nodes: readonly IntentNode[]): string | undefined {
  const named = new Map<string, string[]>();
  for (const { name, cause } of nodes) {
    if (cause !== undefined) named.set(cause, [...(named.get(cause) ?? []), name]);
  }
  if (named.size === 0) return undefined;
  return [...named].map(([cause, names]) => `${names.join(', ')}: ${cause}`).join('; ');
}
