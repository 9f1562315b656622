import {
  compareLamport,
  earlierOf,
  type LamportTime,
  laterOf,
  MAX_VERSION_LEAP,
  plusLamport,
} from '../../../src/kernel/index.js';
import type { Wanted } from '../../../src/protocols/cluster-client/core/intent.js';
import type { WriteAnswer } from '../../../src/protocols/cluster-client/core/node-status.js';
import type { Variant } from './variant.js';

/** A message and its effect on a node. */
export type NodeWork<Answer> = (node: SimulatedNode) => Answer;

interface Known {
  readonly id: string;
  readonly wanted: Wanted;
  readonly version: LamportTime;
  /** Whether the group to delete existed. */
  readonly found: boolean;
  /** The operation was refused, and will be refused again. */
  isRefused: boolean;
  isUndone: boolean;
  /** At some time the group existed, or was missing, as the operation demands. */
  wasSo: boolean;
}

/** A node by the definition: it forgets nothing, and derives its groups from all messages that it received. */
export class SimulatedNode {
  private readonly known = new Map<string, Known>();
  /** Operations that were undone before they arrived. */
  private readonly marks = new Set<string>();
  private counter: LamportTime = 0;

  constructor(
    private readonly variant: Variant,
    /** An earlier node, which accepts any version and answers yes to operations without effect. */
    readonly isOld = false,
  ) {}

  get version(): LamportTime {
    return this.counter;
  }

  raise(version: LamportTime): void {
    this.counter = laterOf(this.counter, version);
  }

  look(wanted: Wanted): {
    readonly understands: true;
    readonly groups: readonly string[];
    readonly version: LamportTime;
  } {
    const groups = this.groups().filter((groupId) => wanted.kind === 'clear' || groupId === wanted.groupId);
    return { understands: true, groups, version: this.counter };
  }

  write(id: string, wanted: Wanted, given?: LamportTime, after: LamportTime = 0): Omit<WriteAnswer, 'mayLand'> {
    if (this.marks.has(id)) return { result: 'undone' };
    const before = this.known.get(id);
    if (before !== undefined) return before.isUndone ? { result: 'undone' } : answerTo(before);
    const max = plusLamport(this.counter, MAX_VERSION_LEAP);
    const isFar = [given ?? 0, after].some((time) => compareLamport(time, max) > 0);
    if (isFar && this.variant.refusesLeaps && !this.isOld) return { result: 'refused' };
    const next = plusLamport(laterOf(this.counter, after), 1);
    const version = given ?? (this.variant.endsNumbers ? earlierOf(next, Number.MAX_SAFE_INTEGER) : next);
    this.raise(version);
    const isThere = wanted.kind !== 'clear' && this.isThere(wanted.groupId, { version, id });
    const isRefused = wanted.kind === 'create' && isThere;
    const found = wanted.kind === 'clear' || isThere;
    const known: Known = { id, wanted, version, found, isUndone: false, isRefused, wasSo: false };
    this.known.set(id, known);
    this.noteWhatIsSo();
    if (isRefused || this.isOld || known.wasSo) return answerTo(known);
    known.isRefused = true;
    return { result: 'refused' };
  }

  private noteWhatIsSo(): void {
    for (const known of this.known.values()) {
      const { wanted } = known;
      known.wasSo ||= wanted.kind === 'clear' || this.isThere(wanted.groupId) === (wanted.kind === 'create');
    }
  }

  undo(id: string, wanted: Wanted): true {
    const known = this.known.get(id);
    if (known !== undefined && this.variant.remembersUndos) known.isUndone = true;
    else if (known !== undefined) this.known.delete(id);
    else if (this.variant.remembersUndos) this.marks.add(id);
    if (!this.variant.undoesOnlyItsOwn && wanted.kind === 'create') {
      for (const other of this.known.values()) {
        if (other.wanted.kind === 'create' && other.wanted.groupId === wanted.groupId) other.isUndone = true;
      }
    }
    this.noteWhatIsSo();
    return true;
  }

  groups(): readonly string[] {
    const ids = new Set(
      [...this.known.values()].flatMap(({ wanted }) => (wanted.kind === 'clear' ? [] : [wanted.groupId])),
    );
    return [...ids].filter((groupId) => this.isThere(groupId)).sort();
  }

  /** It received this operation and no undo of it. */
  stands(id: string): boolean {
    const known = this.known.get(id);
    return known !== undefined && counts(known);
  }

  /** Like `stands`, and the state was so at some time. */
  wasSo(id: string): boolean {
    return this.stands(id) && this.known.get(id)?.wasSo === true;
  }

  /** Like `stands`, and the operation had an effect. */
  hasEffect(id: string): boolean {
    const known = this.known.get(id);
    return this.stands(id) && (known?.found === true || known?.wanted.kind === 'create');
  }

  private isThere(groupId: string, below?: Pick<Known, 'version' | 'id'>): boolean {
    const last = [...this.known.values()]
      .filter((known) => counts(known))
      .filter(({ wanted }) => wanted.kind === 'clear' || wanted.groupId === groupId)
      .filter((known) => below === undefined || isLower(known, below))
      .sort((left, right) => (isLower(left, right) ? -1 : 1))
      .at(-1);
    return last?.wanted.kind === 'create';
  }
}

const counts = ({ isUndone, isRefused }: Known): boolean => !isUndone && !isRefused;

function answerTo({ wanted, version, found, isRefused }: Known): Omit<WriteAnswer, 'mayLand'> {
  if (isRefused) return { result: 'exists', version };
  return { result: wanted.kind === 'delete' && !found ? 'absent' : 'done', version };
}

function isLower(left: Pick<Known, 'version' | 'id'>, right: Pick<Known, 'version' | 'id'>): boolean {
  const byVersion = compareLamport(left.version, right.version);
  return byVersion === 0 ? left.id < right.id : byVersion < 0;
}
