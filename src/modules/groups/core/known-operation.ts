import { compareLamport, type LamportTime } from '../../../kernel/index.js';

export type OperationKind = 'create' | 'delete' | 'clear';

/** An operation that a node knows, perhaps only because it was undone before it arrived (version 0). */
export interface KnownOperation {
  readonly id: string;
  readonly kind: OperationKind;
  readonly groupId?: string;
  /** The caller whose quota the id counts against. */
  readonly owner?: string;
  readonly version: LamportTime;
  /** The operation was refused, and is refused again at each repeat. */
  isRefused: boolean;
  /** The operation was refused because a later operation was there already. */
  isOvertaken?: true;
  /** Whether there was something to delete. */
  readonly found: boolean;
  /** For a clear: how many groups it removed when it arrived. */
  removed?: number;
  isUndone: boolean;
  /** The record time of the last change, in milliseconds since the Unix epoch. */
  at: number;
  /** The operation is remembered only as far as the groups need it. */
  isOld?: boolean;
  /** A delete that replaces a forgotten clear in one group; its id does not find it. */
  readonly isFolded?: boolean;
}

/** The order that all nodes agree on. */
export function compareOperations(
  left: Pick<KnownOperation, 'version' | 'id'>,
  right: Pick<KnownOperation, 'version' | 'id'>,
): number {
  const byVersion = compareLamport(left.version, right.version);
  if (byVersion !== 0) return byVersion;
  return left.id < right.id ? -1 : left.id > right.id ? 1 : 0;
}

export function counts({ isUndone, isRefused }: KnownOperation): boolean {
  return !isUndone && !isRefused;
}
