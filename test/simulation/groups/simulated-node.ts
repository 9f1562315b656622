import type { Wanted } from '../../../src/modules/cluster-client/core/intent.js';
import type { WriteAnswer } from '../../../src/modules/cluster-client/core/node-standing.js';
import type { Variant } from './variant.js';

/** What a message makes a node do. */
export type NodeWork<Answer> = (node: SimulatedNode) => Answer;

interface Known {
  readonly id: string;
  readonly wanted: Wanted;
  readonly version: number;
  /** Whether there was something to delete. */
  readonly found: boolean;
  /** It was answered no, and will be again. */
  readonly isRefused: boolean;
  isUndone: boolean;
}

/** A node by the definition: it forgets nothing, and works out what is there from all that it was ever told. */
export class SimulatedNode {
  private readonly known = new Map<string, Known>();
  /** Undone before they came. */
  private readonly marks = new Set<string>();
  private counter = 0;

  constructor(private readonly variant: Variant) {}

  look(wanted: Wanted): { readonly understands: true; readonly groups: readonly string[]; readonly version: number } {
    const groups = this.groups().filter((groupId) => wanted.kind === 'clear' || groupId === wanted.groupId);
    return { understands: true, groups, version: this.counter };
  }

  write(id: string, wanted: Wanted, given?: number, after = 0): Omit<WriteAnswer, 'mayLand'> {
    if (this.marks.has(id)) return { result: 'undone' };
    const before = this.known.get(id);
    if (before !== undefined) return before.isUndone ? { result: 'undone' } : answerTo(before);
    const version = given ?? Math.max(this.counter, after) + 1;
    this.counter = Math.max(this.counter, version);
    const isThere = wanted.kind !== 'clear' && this.isThere(wanted.groupId, { version, id });
    const isRefused = wanted.kind === 'create' && isThere;
    const found = wanted.kind === 'clear' || isThere;
    const known = { id, wanted, version, found, isUndone: false, isRefused };
    this.known.set(id, known);
    return answerTo(known);
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
    return true;
  }

  groups(): readonly string[] {
    const ids = new Set(
      [...this.known.values()].flatMap(({ wanted }) => (wanted.kind === 'clear' ? [] : [wanted.groupId])),
    );
    return [...ids].filter((groupId) => this.isThere(groupId)).sort();
  }

  /** It was told of this operation, and not that it is undone. */
  stands(id: string): boolean {
    const known = this.known.get(id);
    return known !== undefined && counts(known);
  }

  /** As `stands`, and there was something to do. */
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
  return left.version === right.version ? left.id < right.id : left.version < right.version;
}
