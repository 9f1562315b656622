import type { OperationStamp } from '../../kernel/index.js';
import type { DocumentOutcome } from './document-op.js';

export interface RememberedOperation extends OperationStamp {
  readonly at: number;
  /** Place of the write in the history: `<epoch>.<seq>`. */
  readonly commit: string;
  readonly outcome: DocumentOutcome;
}

interface Retention {
  readonly ms: number;
  readonly count: number;
}

const HOUR_MS = 3_600_000;
const CLIENT_KEYS: Retention = { ms: 24 * HOUR_MS, count: 100_000 };
const SERVER_IDS: Retention = { ms: HOUR_MS / 6, count: 10_000 };

/**
 * The finished operations, by id and by scope. Part of the replicated state: what is forgotten, and when, follows from
 * the records' own times and their number alone, so every copy of the history forgets the same.
 */
export class OperationMemory {
  private readonly withKey = new Map<string, RememberedOperation>();
  private readonly withoutKey = new Map<string, RememberedOperation>();
  private readonly idsByScope = new Map<string, string>();

  record(operation: RememberedOperation): void {
    if (operation.scope !== undefined) this.idsByScope.set(operation.scope, operation.id);
    this.kept(operation).set(operation.id, operation);
    this.forget(this.withKey, CLIENT_KEYS, operation.at);
    this.forget(this.withoutKey, SERVER_IDS, operation.at);
  }

  findById(id: string): RememberedOperation | undefined {
    return this.withKey.get(id) ?? this.withoutKey.get(id);
  }

  findByScope(scope: string): RememberedOperation | undefined {
    const id = this.idsByScope.get(scope);
    return id === undefined ? undefined : this.withKey.get(id);
  }

  /** Oldest first within each kind, so that recording them again in this order gives the same memory. */
  all(): RememberedOperation[] {
    return [...this.withKey.values(), ...this.withoutKey.values()];
  }

  private kept(operation: RememberedOperation): Map<string, RememberedOperation> {
    return operation.scope === undefined ? this.withoutKey : this.withKey;
  }

  private forget(operations: Map<string, RememberedOperation>, keep: Retention, now: number): void {
    for (const [id, { at, scope }] of operations) {
      if (operations.size <= keep.count && at + keep.ms > now) return;
      operations.delete(id);
      if (scope !== undefined && this.idsByScope.get(scope) === id) this.idsByScope.delete(scope);
    }
  }
}
