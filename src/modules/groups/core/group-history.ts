/**
 * The groups of one node, as they follow from the operations that it was told of. Invariant: which groups are there
 * depends only on the set of operations and undos that this node knows, not on the order in which they came; so nodes
 * that know the same have the same.
 *
 * Operations have a version (Lamport's clock: one more than any that was met, or what the caller brings from another
 * node). A group is there when the highest operation on it that counts, by version and then id, is a create; one that
 * was refused or undone does not count. An undo changes nothing but that; one that comes before its operation is
 * remembered, and the operation is refused when it comes.
 *
 * What is older than a day, by the records' own times, is forgotten as far as it can be: of each group the highest
 * operation that counts stays, if it is a create.
 */
import { compareOperations, counts, type KnownOperation, type OperationKind } from './known-operation.js';
import { OperationList } from './operation-list.js';

/** Milliseconds for which operations are known, whatever comes after them. */
export const REMEMBERED_MS = 24 * 3_600_000;

export type GroupOp =
  | {
      readonly type: 'do';
      readonly id: string;
      readonly kind: OperationKind;
      /** Absent for `clear`, which is about all groups. */
      readonly groupId?: string;
      /** As another node has given it; absent: the next one here. */
      readonly version?: number;
      /** Of one that gets its version here: it is to be higher than this, too, which another node has met. */
      readonly after?: number;
    }
  | { readonly type: 'undo'; readonly id: string; readonly kind: OperationKind; readonly groupId?: string };

/**
 * - `not-found`: there is nothing to delete.
 * - `exists`: the group is there already; this operation will never create it here.
 * - `undone`: the operation was undone before.
 * - `reused`: the operation's id has come with something else.
 */
export type GroupOutcome =
  | { readonly result: 'done'; readonly version: number; readonly removed: number; readonly isRepeat: boolean }
  | { readonly result: 'not-found' | 'exists'; readonly version: number; readonly isRepeat: boolean }
  | { readonly result: 'undone' | 'reused' }
  | { readonly result: 'undo-done'; readonly isThere: boolean };

export interface GroupState {
  readonly counter: number;
  readonly operations: readonly KnownOperation[];
}

export class GroupHistory {
  private counter = 0;
  private readonly known = new Map<string, KnownOperation>();
  private readonly groups = new Map<string, OperationList>();
  private readonly clears = new OperationList();
  /** Oldest first; an operation that was touched again stands here twice, and the first time does not count. */
  private young: { readonly operation: KnownOperation; readonly at: number }[] = [];
  private youngFrom = 0;

  /** The highest version that was met. */
  get version(): number {
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

  /** What applying this now would tell, when it would change nothing that is kept; else undefined. */
  foresee(op: GroupOp): GroupOutcome | undefined {
    const before = this.known.get(op.id);
    if (before === undefined) return undefined;
    if (!isSame(before, op)) return { result: 'reused' };
    if (op.type === 'do') return this.again(before);
    return before.isUndone ? this.undoneOutcome(op.groupId) : undefined;
  }

  /** Deterministic. `at`: the record's own time, in milliseconds, never less than that of the one before. */
  apply(op: GroupOp, at: number): GroupOutcome {
    this.forgetBefore(at - REMEMBERED_MS);
    const outcome = this.foresee(op);
    if (outcome !== undefined) return outcome;
    return op.type === 'do' ? this.add(op, at) : this.undo(op, at);
  }

  /** All that is known, to be kept. */
  capture(): GroupState {
    const operations = [...this.groups.values(), this.clears].flatMap((list) => list.all());
    return { counter: this.counter, operations: operations.map((operation) => ({ ...operation })) };
  }

  /** Of an empty history. */
  restore({ counter, operations }: GroupState): void {
    this.counter = counter;
    for (const operation of operations.toSorted((left, right) => left.at - right.at)) this.keep({ ...operation });
  }

  private add(op: Extract<GroupOp, { type: 'do' }>, at: number): GroupOutcome {
    const { id, kind, groupId } = op;
    // At the end of the numbers the ids alone give the order, which rise with time.
    const next = Math.min(Math.max(this.counter, op.after ?? 0) + 1, Number.MAX_SAFE_INTEGER);
    const version = op.version ?? next;
    this.counter = Math.max(this.counter, version);
    const before = kind === 'clear' ? this.all().length : 0;
    const isThere = groupId !== undefined && this.isThere(groupId, { version, id });
    const operation: KnownOperation = {
      ...{ id, kind, version, at, isUndone: false },
      ...(groupId !== undefined && { groupId }),
      isRefused: kind === 'create' && isThere,
      found: kind === 'clear' || isThere,
    };
    this.keep(operation);
    // One that came late has left what has its place above it.
    if (kind === 'clear') operation.removed = before - this.all().length;
    return outcomeOf(operation);
  }

  private undo({ id, kind, groupId }: Extract<GroupOp, { type: 'undo' }>, at: number): GroupOutcome {
    const before = this.known.get(id);
    const undone: KnownOperation = before ?? {
      ...{ id, kind, version: 0, at, isRefused: false, found: false, isUndone: true },
      ...(groupId !== undefined && { groupId }),
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
    // Half of it is behind us: move the rest, so that each entry is moved once on average.
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

  /** Of what is old in a group the highest that counts stays, if it is a create that no old clear has covered. */
  private shorten(groupId: string): void {
    const list = this.groups.get(groupId);
    const base = list?.old().findLast(counts);
    for (const operation of list?.old() ?? []) {
      const isNeeded = operation === base && (operation.kind === 'create' || list?.hasBelow(operation) === true);
      if (!isNeeded) this.drop(operation);
    }
  }

  /** A clear that is old leaves a delete in every group that has something below it. */
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
}: KnownOperation): Exclude<GroupOutcome, { result: 'undone' | 'reused' | 'undo-done' }> {
  if (isRefused) return { result: 'exists', version, isRepeat: false };
  if (kind === 'delete' && !found) return { result: 'not-found', version, isRepeat: false };
  return { result: 'done', version, removed, isRepeat: false };
}
