/** How a node stands after what it has answered. */
import type { LamportTime } from '../../../kernel/index.js';
import type { IntentNode, NodeStatus } from './intent.js';

export interface WriteAnswer {
  /**
   * `absent`: there was nothing to delete. `exists`: the group was there already. `undone`: the operation was undone
   * there before. `failed`: no answer that says anything.
   */
  readonly result: 'done' | 'absent' | 'exists' | 'refused' | 'undone' | 'failed';
  /** An attempt that was not answered may have been carried out, or may yet be. */
  readonly mayLand: boolean;
  /** Every attempt was answered by the node itself: what it has not done by now it will not do later. */
  readonly isOver?: true;
  /** Of a node that knows operation ids. */
  readonly version?: LamportTime;
  readonly cause?: string;
}

/** An attempt that the node itself did not answer may be carried out at any time. */
export const comesLate = ({ mayLand, isOver }: WriteAnswer): boolean => mayLand && isOver !== true;
export const isPlain = ({ plain }: IntentNode): boolean => plain !== undefined;
export const isGood = ({ status }: IntentNode): boolean => status === 'done' || status === 'already';

/** Of a node whose operation is not decided. */
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

/** Whoever has it as it shall be is done, whoever made it so. */
export function forwardStatus({ result }: WriteAnswer): NodeStatus {
  if (result === 'done') return 'done';
  return result === 'absent' || result === 'exists' ? 'already' : 'unknown';
}

/** Whether it did, or may yet do, what was asked. */
export function isTouchedAfter(node: IntentNode, status: NodeStatus, { mayLand }: WriteAnswer): boolean {
  switch (status) {
    case 'done':
    case 'unknown':
      return true;
    case 'already':
      // Where operation ids are known, one that found nothing stands against slower ones that came before it.
      return !isPlain(node);
    case 'refused':
      return mayLand;
    case 'rolled-back':
    case 'unreachable':
    case 'untouched':
      return false;
  }
}

/** Each cause once, with the nodes that have it; undefined when there is none. */
export function reasonOf(nodes: readonly IntentNode[]): string | undefined {
  const named = new Map<string, string[]>();
  for (const { name, cause } of nodes) {
    if (cause !== undefined) named.set(cause, [...(named.get(cause) ?? []), name]);
  }
  if (named.size === 0) return undefined;
  return [...named].map(([cause, names]) => `${names.join(', ')}: ${cause}`).join('; ');
}
