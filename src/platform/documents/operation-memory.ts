import { CLIENT_KEY_RETENTION_MS } from '../../kernel/index.js';
import type { DocumentOutcome } from './document-op.js';
import { type Retention, RetentionQueue } from './retention-queue.js';

/** A finished write: its stamp, and what became of it. */
export interface RememberedOperation {
  readonly id: string;
  readonly scope?: string | undefined;
  readonly bodyHmac?: string | undefined;
  readonly at: number;
  /** Place of the write in the history: `<epoch>.<seq>`. */
  readonly commit: string;
  readonly outcome: DocumentOutcome;
}

const HOUR_MS = 3_600_000;
const CLIENT_KEYS: Retention = { ms: CLIENT_KEY_RETENTION_MS, count: 100_000 };
const SERVER_IDS: Retention = { ms: HOUR_MS / 6, count: 1_000 };

/**
 * The finished operations, by id and by scope. Part of the replicated state: what is forgotten, and when, follows from
 * the records' own times and their number alone, so every copy of the history forgets the same.
 */
export class OperationMemory {
  private readonly withKey = new RetentionQueue<RememberedOperation>(CLIENT_KEYS);
  private readonly withoutKey = new RetentionQueue<RememberedOperation>(SERVER_IDS);
  private readonly byId = new Map<string, RememberedOperation>();
  private readonly byScope = new Map<string, RememberedOperation>();

  record(operation: RememberedOperation): void {
    this.byId.set(operation.id, operation);
    if (operation.scope === undefined) {
      this.withoutKey.add(operation);
    } else {
      this.byScope.set(operation.scope, operation);
      this.withKey.add(operation);
    }
    this.withKey.expire(operation.at, this.forget);
    this.withoutKey.expire(operation.at, this.forget);
  }

  findById(id: string): RememberedOperation | undefined {
    return this.byId.get(id);
  }

  findByScope(scope: string): RememberedOperation | undefined {
    return this.byScope.get(scope);
  }

  /** Oldest first within each kind, so that recording them again in this order gives the same memory. */
  all(): RememberedOperation[] {
    return [...this.withKey.all(), ...this.withoutKey.all()];
  }

  private readonly forget = (operation: RememberedOperation): void => {
    this.byId.delete(operation.id);
    const { scope } = operation;
    if (scope !== undefined && this.byScope.get(scope) === operation) this.byScope.delete(scope);
  };
}
