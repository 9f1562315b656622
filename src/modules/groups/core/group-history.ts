/**
 * The groups of one node, as its known operations determine them. Invariant: which groups exist depends only on the set of
 * operations and undos that this node knows, not on their order of arrival, so nodes that know the same have the same groups.
 *
 * Operations have a version (Lamport's clock: one more than any version met, or the version that the caller brings from another
 * node). A group exists when the highest operation on it that counts, by version and then id, is a create; a refused or undone
 * operation does not count. A create below a delete that counts, or a delete below a create, would change nothing, and is
 * refused. An undo only stops its operation from counting; an undo that arrives before its operation is remembered, and the
 * operation is refused when it arrives.
 *
 * No single caller decides how far the clock goes: a version far above all versions met is refused before it is recorded.
 *
 * Operations older than a day, by the records' own times, are forgotten as far as possible: in each group the highest operation
 * that counts stays if it is a create.
 */
import {
  compareLamport,
  earlierOf,
  type HeldKeys,
  type LamportTime,
  laterOf,
  MAX_VERSION_LEAP,
  plusLamport,
} from '../../../kernel/index.js';
import { compareOperations, counts, type KnownOperation, type OperationKind } from './known-operation.js';
import { OperationList } from './operation-list.js';

/** Operations are known for this long, whatever comes after them. */
export const REMEMBERED_MS = 24 * 3_600_000;

export type GroupOp =
  | {
      readonly type: 'do';
      readonly id: string;
      readonly kind: OperationKind;
      readonly groupId?: string;
      /** The version that another node gave; absent for the next version here. */
      readonly version?: LamportTime;
      /** A version met by another node, which a version allotted here must exceed. */
      readonly after?: LamportTime;
      /** The caller whose quota the id counts against; absent when the caller named no id. */
      readonly owner?: string;
      /** Absent in records from when versions ended at 2^53 - 1 and an operation counted below one that overtook it. */
      readonly rules?: 2;
    }
  | {
      readonly type: 'undo';
      readonly id: string;
      readonly kind: OperationKind;
      readonly groupId?: string;
      readonly owner?: string;
    };

/** A record of the journal: an operation, or a version that others have met. */
export type GroupRecord = GroupOp | { readonly type: 'raise'; readonly version: LamportTime };

/**
 * - `not-found`: there is nothing to delete.
 * - `exists`: the group exists already; this operation will never create it here.
 * - `overtaken`: a later operation leaves nothing to do for this one, which will never count here.
 * - `too-far`: its `version` or `after` is more than MAX_VERSION_LEAP above the highest version met, which the outcome reports.
 * - `undone`: the operation was undone before.
 * - `reused`: the operation's id came before with different content.
 */
export type GroupOutcome =
  | { readonly result: 'done'; readonly version: LamportTime; readonly removed: number; readonly isRepeat: boolean }
  | {
      readonly result: 'not-found' | 'exists' | 'overtaken';
      readonly version: LamportTime;
      readonly isRepeat: boolean;
    }
  | { readonly result: 'too-far'; readonly met: LamportTime }
  | { readonly result: 'undone' | 'reused' }
  | { readonly result: 'undo-done'; readonly isThere: boolean };

export interface GroupState {
  readonly counter: LamportTime;
  readonly operations: readonly KnownOperation[];
}

export class GroupHistory {
  private counter: LamportTime = 0;
  private readonly known = new Map<string, KnownOperation>();
  private readonly groups = new Map<string, OperationList>();
  private readonly clears = new OperationList();
  /** Oldest first. An operation that was changed again appears twice, and its first entry does not count. */
  private young: { readonly operation: KnownOperation; readonly at: number }[] = [];
  private youngFrom = 0;

  /** The highest version met. */
  get version(): LamportTime {
    return this.counter;
  }

  /** Sorted by UTF-16 code units. */
  all(): readonly string[] {
    return [...this.groups.keys()].filter((groupId) => this.has(groupId)).sort();
  }

  has(groupId: string): boolean {
    return this.isThere(groupId, undefined);
  }

  kindOf(id: string): OperationKind | undefined {
    return this.known.get(id)?.kind;
  }

  /** The owners of known ids, except ids that only a group needs: of operations, or of those undone before they arrived. */
  *heldKeys(of: 'operations' | 'early undos'): Generator<HeldKeys, void, undefined> {
    for (const { owner, at, isOld, version } of this.known.values()) {
      if (owner === undefined || isOld === true || (version === 0) !== (of === 'early undos')) continue;
      yield { owner, atMs: at, count: 1 };
    }
  }

  /** The outcome of applying `op` now when that would change nothing recorded; otherwise undefined. */
  foresee(op: GroupOp): GroupOutcome | undefined {
    const before = this.known.get(op.id);
    if (before === undefined) return undefined;
    if (!isSame(before, op)) return { result: 'reused' };
    if (op.type === 'do') return this.again(before);
    return before.isUndone ? this.undoneOutcome(op.groupId) : undefined;
  }

  /** The outcome of an operation that is refused before it is recorded; otherwise undefined. */
  refuse(op: GroupOp): GroupOutcome | undefined {
    if (op.type === 'undo') return undefined;
    const max = plusLamport(this.counter, MAX_VERSION_LEAP);
    const isTooFar = [op.version, op.after].some((time) => time !== undefined && compareLamport(time, max) > 0);
    return isTooFar ? { result: 'too-far', met: this.counter } : undefined;
  }

  raise(version: LamportTime): void {
    this.counter = laterOf(this.counter, version);
  }

  /** Deterministic. `at` is the record's own time in milliseconds, never earlier than that of the previous record. */
  apply(op: GroupOp, at: number): GroupOutcome {
    this.forgetBefore(at - REMEMBERED_MS);
    const outcome = this.foresee(op);
    if (outcome !== undefined) return outcome;
    return op.type === 'do' ? this.add(op, at) : this.undo(op, at);
  }

  capture(): GroupState {
    const operations = [...this.groups.values(), this.clears].flatMap((list) => list.all());
    return { counter: this.counter, operations: operations.map((operation) => ({ ...operation })) };
  }

  /** Call it on an empty history only. */
  restore({ counter, operations }: GroupState): void {
    this.counter = counter;
    for (const operation of operations.toSorted((left, right) => left.at - right.at)) this.keep({ ...operation });
  }

  private add(op: Extract<GroupOp, { type: 'do' }>, at: number): GroupOutcome {
    const { id, kind, groupId, owner } = op;
    const next = plusLamport(laterOf(this.counter, op.after ?? 0), 1);
    const version = op.version ?? (op.rules === 2 ? next : earlierOf(next, Number.MAX_SAFE_INTEGER));
    this.raise(version);
    const before = kind === 'clear' ? this.all().length : 0;
    const isThere = groupId !== undefined && this.isThere(groupId, { version, id });
    const operation: KnownOperation = {
      ...{ id, kind, version, at, isUndone: false },
      ...(groupId !== undefined && { groupId }),
      ...(owner !== undefined && { owner }),
      isRefused: kind === 'create' && isThere,
      found: kind === 'clear' || isThere,
    };
    this.keep(operation);
    // A late clear has left the groups that operations above it created.
    if (kind === 'clear') operation.removed = before - this.all().length;
    if (op.rules === 2 && this.isOvertaken(operation)) Object.assign(operation, { isRefused: true, isOvertaken: true });
    return outcomeOf(operation);
  }

  /** For an operation that counts: whether an operation above it prevents its effect. */
  private isOvertaken({ kind, groupId, isRefused }: KnownOperation): boolean {
    if (isRefused || groupId === undefined) return false;
    return this.has(groupId) !== (kind === 'create');
  }

  private undo({ id, kind, groupId, owner }: Extract<GroupOp, { type: 'undo' }>, at: number): GroupOutcome {
    const before = this.known.get(id);
    const undone: KnownOperation = before ?? {
      ...{ id, kind, version: 0, at, isRefused: false, found: false, isUndone: true },
      ...(groupId !== undefined && { groupId }),
      ...(owner !== undefined && { owner }),
    };
    Object.assign(undone, { isUndone: true, isOld: false, at });
    if (before === undefined) this.keep(undone);
    else this.young.push({ operation: undone, at });
    return this.undoneOutcome(groupId);
  }

  private again(operation: KnownOperation): GroupOutcome {
    if (operation.isUndone) return { result: 'undone' };
    return { ...outcomeOf(operation), isRepeat: true };
  }

  private undoneOutcome(groupId: string | undefined): GroupOutcome {
    return { result: 'undo-done', isThere: groupId !== undefined && this.has(groupId) };
  }

  private keep(operation: KnownOperation): void {
    if (operation.isFolded !== true) this.known.set(operation.id, operation);
    this.young.push({ operation, at: operation.at });
    this.listOf(operation).add(operation);
  }

  private listOf({ groupId }: KnownOperation): OperationList {
    if (groupId === undefined) return this.clears;
    const list = this.groups.get(groupId) ?? new OperationList();
    this.groups.set(groupId, list);
    return list;
  }

  private isThere(groupId: string, below: Pick<KnownOperation, 'version' | 'id'> | undefined): boolean {
    const own = this.groups.get(groupId)?.highest(below);
    if (own?.kind !== 'create') return false;
    const cleared = this.clears.highest(below);
    return cleared === undefined || compareOperations(cleared, own) < 0;
  }

  private forgetBefore(time: number): void {
    for (
      let next = this.young[this.youngFrom];
      next !== undefined && next.at < time;
      next = this.young[this.youngFrom]
    ) {
      this.youngFrom += 1;
      if (next.operation.at === next.at) this.age(next.operation);
    }
    // Half of the list is behind: move the rest, so that each entry is moved once on average.
    if (this.youngFrom * 2 > this.young.length) {
      this.young = this.young.slice(this.youngFrom);
      this.youngFrom = 0;
    }
  }

  private age(operation: KnownOperation): void {
    operation.isOld = true;
    if (operation.groupId !== undefined) this.shorten(operation.groupId);
    else this.foldClear(operation);
  }

  /** Keeps the highest of a group's old operations that count if it is a create that no old clear has covered. */
  private shorten(groupId: string): void {
    const list = this.groups.get(groupId);
    const base = list?.old().findLast(counts);
    for (const operation of list?.old() ?? []) {
      const isNeeded = operation === base && (operation.kind === 'create' || list?.hasBelow(operation) === true);
      if (!isNeeded) this.drop(operation);
    }
  }

  /** An old clear leaves a delete in every group that has something below it. */
  private foldClear(clear: KnownOperation): void {
    this.clears.remove(clear);
    this.known.delete(clear.id);
    if (!counts(clear)) return;
    for (const [groupId, list] of this.groups) {
      if (!list.hasBelow(clear)) continue;
      list.add({ ...clear, kind: 'delete', groupId, isFolded: true });
      this.shorten(groupId);
    }
  }

  private drop(operation: KnownOperation): void {
    const { groupId = '' } = operation;
    const list = this.groups.get(groupId);
    list?.remove(operation);
    if (list?.isEmpty === true) this.groups.delete(groupId);
    if (this.known.get(operation.id) === operation) this.known.delete(operation.id);
  }
}

function isSame({ kind, groupId }: KnownOperation, op: GroupOp): boolean {
  return kind === op.kind && groupId === op.groupId;
}

function outcomeOf({
  kind,
  version,
  found,
  removed = 0,
  isRefused,
  isOvertaken,
}: KnownOperation): Exclude<GroupOutcome, { result: 'undone' | 'reused' | 'undo-done' | 'too-far' }> {
  if (isOvertaken === true) return { result: 'overtaken', version, isRepeat: false };
  if (isRefused) return { result: 'exists', version, isRepeat: false };
  if (kind === 'delete' && !found) return { result: 'not-found', version, isRepeat: false };
  return { result: 'done', version, removed, isRepeat: false };
}
