import type { LamportTime } from '../../src/kernel/index.js';
import { type GroupOp, type GroupOutcome, REMEMBERED_MS } from '../../src/modules/groups/core/group-history.js';

interface Known {
  readonly op: GroupOp;
  readonly version: bigint;
  isRefused: boolean;
  isOvertaken?: boolean;
  readonly found: boolean;
  isUndone: boolean;
  at: number;
  /** Of a clear, when it came. */
  readonly removed: number;
}

/** The groups of a node by the definition: forgets nothing, and works out what is there from all that it was ever told. */
export class GroupModel {
  private readonly known: Known[] = [];
  private counter = 0n;

  get version(): LamportTime {
    return shown(this.counter);
  }

  raise(version: LamportTime): void {
    this.counter = larger(this.counter, BigInt(version));
  }

  /** Every id that was ever told. */
  get ids(): readonly string[] {
    return this.known.map(({ op }) => op.id);
  }

  /** Whether this is within what a node promises to remember at that time. */
  isYoung(id: string, now: number): boolean {
    const known = this.find(id);
    return known === undefined || known.at >= now - REMEMBERED_MS;
  }

  /** No operation that may be forgotten at that time has a higher version. */
  oldVersion(now: number): bigint {
    const old = this.known.filter(({ at }) => at < now - REMEMBERED_MS);
    return old.map(({ version }) => version).reduce(larger, 0n);
  }

  /** What an id was told with. */
  opOf(id: string): GroupOp | undefined {
    return this.find(id)?.op;
  }

  all(): readonly string[] {
    const ids = new Set(this.known.flatMap(({ op }) => op.groupId ?? []));
    return [...ids].filter((groupId) => this.isThere(groupId)).sort();
  }

  apply(op: GroupOp, at: number): GroupOutcome {
    const before = this.find(op.id);
    if (before !== undefined && (before.op.kind !== op.kind || before.op.groupId !== op.groupId)) {
      return { result: 'reused' };
    }
    if (op.type === 'undo') return this.undo(op, before, at);
    if (before?.isUndone === true) return { result: 'undone' };
    if (before !== undefined) return answerTo(before, true);
    const next = larger(this.counter, BigInt(op.after ?? 0)) + 1n;
    const given = op.rules === 2 || next < LAST_OF_EARLIER ? next : LAST_OF_EARLIER;
    const version = op.version === undefined ? given : BigInt(op.version);
    this.counter = larger(this.counter, version);
    const found = op.groupId !== undefined && this.isThere(op.groupId, { version, id: op.id });
    const groupsBefore = this.all().length;
    const isRefused = op.kind === 'create' && found;
    const known: Known & { removed: number } = { op, version, found, at, isRefused, isUndone: false, removed: 0 };
    this.known.push(known);
    if (op.rules === 2 && op.groupId !== undefined && !isRefused)
      known.isRefused = known.isOvertaken = this.isThere(op.groupId) !== (op.kind === 'create');
    if (op.kind === 'clear') known.removed = groupsBefore - this.all().length;
    return answerTo(known, false);
  }

  private undo(op: GroupOp, before: Known | undefined, at: number): GroupOutcome {
    if (before === undefined)
      this.known.push({ op, version: 0n, isRefused: false, found: false, isUndone: true, at, removed: 0 });
    else if (!before.isUndone) Object.assign(before, { isUndone: true, at });
    return { result: 'undo-done', isThere: op.groupId !== undefined && this.isThere(op.groupId) };
  }

  private find(id: string): Known | undefined {
    return this.known.find(({ op }) => op.id === id);
  }

  private isThere(groupId: string, below?: Rank): boolean {
    const last = this.known
      .filter(({ isUndone, isRefused }) => !isUndone && !isRefused)
      .filter(({ op }) => op.kind === 'clear' || op.groupId === groupId)
      .map(({ op, version }) => ({ kind: op.kind, version, id: op.id }))
      .filter((rank) => below === undefined || isLower(rank, below))
      .sort((left, right) => (isLower(left, right) ? -1 : 1))
      .at(-1);
    return last?.kind === 'create';
  }
}

interface Rank {
  readonly version: bigint;
  readonly id: string;
}

const isLower = (left: Rank, right: Rank): boolean =>
  left.version === right.version ? left.id < right.id : left.version < right.version;

const LAST_OF_EARLIER = BigInt(Number.MAX_SAFE_INTEGER);
const larger = (left: bigint, right: bigint): bigint => (left < right ? right : left);

/** As JSON carries it. */
export const shown = (version: bigint): LamportTime =>
  version <= LAST_OF_EARLIER ? Number(version) : version.toString();

function answerTo(known: Known, isRepeat: boolean): GroupOutcome {
  const { op, found, isRefused, isOvertaken = false, removed } = known;
  const version = shown(known.version);
  if (isOvertaken) return { result: 'overtaken', version, isRepeat };
  if (isRefused) return { result: 'exists', version, isRepeat };
  if (op.kind === 'delete' && !found) return { result: 'not-found', version, isRepeat };
  return { result: 'done', version, removed, isRepeat };
}
