import { compareLamport, type LamportTime } from '../../../kernel/index.js';

export type OperationKind = 'create' | 'delete' | 'clear';

/** An operation as a node knows it; also one that is known only because it was undone before it came (version 0). */
export interface KnownOperation {
  readonly id: string;
  readonly kind: OperationKind;
  /** Absent for `clear`. */
  readonly groupId?: string;
  /** Whom its id counts for; absent: nobody. */
  readonly owner?: string;
  readonly version: LamportTime;
  /** It was answered no, and is again whenever it comes. */
  isRefused: boolean;
  /** It was answered no because a later operation stood there already. */
  isOvertaken?: true;
  /** Whether there was something to delete. */
  readonly found: boolean;
  /** Of a clear: how many groups it removed when it came. */
  removed?: number;
  isUndone: boolean;
  /** When it was last changed, in milliseconds since the Unix epoch, by the time of that record. */
  at: number;
  /** It is remembered only as far as the groups need it. */
  isOld?: boolean;
  /** It stands in one group for a clear that is forgotten, and is not found by its id. */
  readonly isFolded?: boolean;
}

/** The one order that all nodes agree on. */
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
