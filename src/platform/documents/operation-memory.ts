import {
  ADDED_KEY_RETENTION_MS,
  ADDED_KEYS,
  CLIENT_KEY_RETENTION_MS,
  type HeldKeys,
  SERVER_ID_RETENTION,
} from '../../kernel/index.js';
import type { DocumentOutcome, OperationRetention } from './document-op.js';
import { type Retention, RetentionQueue } from './retention-queue.js';

/** A finished write: its stamp, and what became of it. */
export interface RememberedOperation {
  readonly id: string;
  readonly scope?: string | undefined;
  readonly bodyHmac?: string | undefined;
  readonly owner?: string | undefined;
  readonly at: number;
  /** Place of the write in the history: `<epoch>.<seq>`. */
  readonly commit: string;
  readonly outcome: DocumentOutcome;
}

type Kind = 'keyed' | 'added' | 'unkeyed';

const KEPT: Readonly<Record<OperationRetention, Readonly<Record<Kind, Retention>>>> = {
  1: {
    keyed: { ms: CLIENT_KEY_RETENTION_MS, count: 100_000 },
    added: { ms: ADDED_KEY_RETENTION_MS, count: Infinity },
    unkeyed: { ms: SERVER_ID_RETENTION.ms, count: 1_000 },
  },
  2: {
    keyed: { ms: CLIENT_KEY_RETENTION_MS, count: Infinity },
    added: { ms: ADDED_KEY_RETENTION_MS, count: Infinity },
    unkeyed: SERVER_ID_RETENTION,
  },
};

/**
 * The finished operations, by id and by scope. Part of the replicated state: what is forgotten, and when, follows from
 * the records' own times and their number alone, so every copy of the history forgets the same. How many keys a caller
 * may hold is no part of it: the primary refuses to begin a write, and what has a record is never refused.
 */
export class OperationMemory {
  /** By which rule. */
  retention: OperationRetention = 1;
  private readonly queues: Readonly<Record<Kind, RetentionQueue<RememberedOperation>>> = {
    keyed: new RetentionQueue(),
    added: new RetentionQueue(),
    unkeyed: new RetentionQueue(),
  };
  private readonly byId = new Map<string, RememberedOperation>();
  private readonly byScope = new Map<string, RememberedOperation>();

  record(operation: RememberedOperation): void {
    this.byId.set(operation.id, operation);
    if (operation.scope !== undefined) this.byScope.set(operation.scope, operation);
    this.queues[kindOf(operation)].add(operation);
    const kept = KEPT[this.retention];
    this.queues.keyed.expire(operation.at, kept.keyed, this.forget);
    this.queues.added.expire(operation.at, kept.added, this.forget);
    this.queues.unkeyed.expire(operation.at, kept.unkeyed, this.forget);
  }

  findById(id: string): RememberedOperation | undefined {
    return this.byId.get(id);
  }

  findByScope(scope: string): RememberedOperation | undefined {
    return this.byScope.get(scope);
  }

  /** Oldest first within each kind, so that recording them again in this order gives the same memory. */
  all(): RememberedOperation[] {
    return [...this.queues.keyed.all(), ...this.queues.added.all(), ...this.queues.unkeyed.all()];
  }

  /** Whose keys these are. */
  *heldKeys(): Generator<HeldKeys, void, undefined> {
    for (const { owner, at } of this.all()) if (owner !== undefined) yield { owner, atMs: at, count: 1 };
  }

  private readonly forget = (operation: RememberedOperation): void => {
    this.byId.delete(operation.id);
    const { scope } = operation;
    if (scope !== undefined && this.byScope.get(scope) === operation) this.byScope.delete(scope);
  };
}

function kindOf({ scope, owner }: RememberedOperation): Kind {
  if (scope === undefined) return 'unkeyed';
  return owner === ADDED_KEYS ? 'added' : 'keyed';
}
