import {
  ADDED_KEY_RETENTION_MS,
  ADDED_KEYS,
  CLIENT_KEY_RETENTION_MS,
  HeldKeyCounts,
  type HeldKeys,
  SERVER_ID_RETENTION,
} from '../../kernel/index.js';
import type { DocumentWritten, OperationRetention } from './document-op.js';
import { HashIndex, hashOf } from './hash-index.js';
import { linesIn, OperationLog } from './operation-log.js';
import { LINE_SEPARATOR } from './packed-block.js';
import type { Retention } from './retention-queue.js';

export interface RememberedOperation extends DocumentWritten {
  readonly id: string;
  readonly scope?: string | undefined;
  readonly bodyHmac?: string | undefined;
  readonly owner?: string | undefined;
  readonly at: number;
}

type Kind = 'keyed' | 'added' | 'unkeyed';

/**
 * Each record removes up to this many of each kind: more than it adds, so the memory never grows past its peak, yet few, because
 * thousands of records come in one turn. An expired key belongs to no caller, forgotten or not.
 */
const FORGOTTEN_AT_ONCE = 2;

const KEPT: Readonly<Record<OperationRetention, Readonly<Record<Kind, Retention>>>> = {
  1: {
    keyed: { ms: CLIENT_KEY_RETENTION_MS, count: 100_000 },
    added: { ms: ADDED_KEY_RETENTION_MS, count: Infinity },
    unkeyed: { ms: SERVER_ID_RETENTION.ms, count: 1_000 },
  },
  2: {
    keyed: { ms: CLIENT_KEY_RETENTION_MS, count: Infinity, atOnce: FORGOTTEN_AT_ONCE },
    added: { ms: ADDED_KEY_RETENTION_MS, count: Infinity, atOnce: FORGOTTEN_AT_ONCE },
    unkeyed: { ...SERVER_ID_RETENTION, atOnce: FORGOTTEN_AT_ONCE },
  },
};

const KINDS: readonly Kind[] = ['keyed', 'added', 'unkeyed'];
const RESTORED_PER_STEP = 256;

/** The remembered operations at one moment, as lines of JSON. Later operations do not change them. */
export class CapturedOperations {
  /** The blocks hold lines with `LINE_SEPARATOR` between them, oldest first within each kind. */
  constructor(readonly blocks: readonly Buffer[]) {}

  static of(operations: readonly RememberedOperation[]): CapturedOperations {
    const lines = operations.map((operation) => JSON.stringify(operation)).join(LINE_SEPARATOR);
    return new CapturedOperations(lines === '' ? [] : [Buffer.from(lines)]);
  }

  *[Symbol.iterator](): Generator<RememberedOperation, void, undefined> {
    for (const block of this.blocks) for (const line of linesIn(block)) yield JSON.parse(line) as RememberedOperation;
  }
}

/**
 * The finished operations, by id and by scope, as bytes off the heap because there may be millions. They are replicated state:
 * only the times and number of the records decide what is forgotten and when, so every copy forgets the same. The limit of keys
 * per caller is not part of it: the primary refuses to begin a write, but a write that has a record is never refused.
 */
export class OperationMemory {
  retention: OperationRetention = 1;
  /** The time of the latest record; 0 when there is none. */
  latestAtMs = 0;
  private readonly logs: Readonly<Record<Kind, OperationLog>> = {
    keyed: new OperationLog(),
    added: new OperationLog(),
    unkeyed: new OperationLog(),
  };
  private readonly byId = new HashIndex();
  private readonly byScope = new HashIndex();
  private readonly held = new HeldKeyCounts();

  record(operation: RememberedOperation): void {
    this.add(operation);
    for (const each of KINDS) {
      this.logs[each].expire(operation.at, KEPT[this.retention][each], (number) => {
        this.forget(referenceTo(each, number));
      });
    }
  }

  findById(id: string): RememberedOperation | undefined {
    return this.found(this.byId.find(hashOf(id), (reference) => this.read(reference).id === id));
  }

  findByScope(scope: string): RememberedOperation | undefined {
    return this.found(this.byScope.find(hashOf(scope), (reference) => this.read(reference).scope === scope));
  }

  /** Oldest first within each kind, so that recording them again in this order gives the same memory. */
  capture(): CapturedOperations {
    return new CapturedOperations(KINDS.flatMap((kind) => this.logs[kind].capture()));
  }

  /** Restores in short steps; the memory must be empty. */
  *restoring(captured: CapturedOperations): Generator<void, void, undefined> {
    let restored = 0;
    for (const operation of captured) {
      this.add(operation);
      restored += 1;
      if (restored % RESTORED_PER_STEP === 0) yield;
    }
  }

  /** By owner and second, with the time of the start of the second. */
  heldKeys(): Iterable<HeldKeys> {
    return this.held;
  }

  private add(operation: RememberedOperation): void {
    const { id, scope, owner, at } = operation;
    const kind = kindOf(operation);
    if (owner !== undefined) this.held.add(owner, at, 1);
    const reference = referenceTo(kind, this.logs[kind].add(JSON.stringify(operation), at));
    this.byId.set(hashOf(id), reference, (other) => this.read(other).id === id);
    if (scope !== undefined) {
      this.byScope.set(hashOf(scope), reference, (other) => this.read(other).scope === scope);
    }
    this.latestAtMs = Math.max(this.latestAtMs, at);
  }

  private read(reference: number): RememberedOperation {
    const kind = KINDS[(reference - 1) % KINDS.length] ?? 'keyed';
    return JSON.parse(this.logs[kind].line(Math.floor((reference - 1) / KINDS.length))) as RememberedOperation;
  }

  private found(reference: number | undefined): RememberedOperation | undefined {
    return reference === undefined ? undefined : this.read(reference);
  }

  private forget(reference: number): void {
    const { id, scope, owner, at } = this.read(reference);
    if (owner !== undefined) this.held.add(owner, at, -1);
    this.byId.delete(hashOf(id), reference);
    if (scope !== undefined) this.byScope.delete(hashOf(scope), reference);
  }
}

function referenceTo(kind: Kind, number: number): number {
  return number * KINDS.length + KINDS.indexOf(kind) + 1;
}

function kindOf({ scope, owner }: RememberedOperation): Kind {
  if (scope === undefined) return 'unkeyed';
  return owner === ADDED_KEYS ? 'added' : 'keyed';
}
