/**
 * The part of a write's first durable step that serves both replay and `GET /operations/{id}`. `scope` identifies caller, method,
 * route with decoded parameters, and Idempotency-Key; it is absent without a key.
 */
export interface OperationStamp {
  readonly id: string;
  readonly scope?: string;
  /** A keyed HMAC-SHA256 of the request body, because bodies may hold passwords. Present exactly when `scope` is. */
  readonly bodyHmac?: string;
  /** The caller whose quota the key counts against, or ADDED_KEYS. Absent without `scope`, and in records of earlier versions. */
  readonly owner?: string;
}

/** An operation; exists exactly when its write, or the first step of it, is durable. Stores keep `Answer` unread; only adapters read it. */
export interface OperationRecord<Answer> {
  readonly id: string;
  readonly bodyHmac: string | undefined;
  /** Milliseconds since the Unix epoch when the operation was recorded. */
  readonly atMs: number;
  /** Undefined until all stores of a transaction have carried it out, because the whole answer is known only after that. */
  readonly answer: Answer | undefined;
  /** Present while the operation goes on after its first step; resolves when it has ended, and never rejects. */
  readonly ended?: Promise<void>;
  /** Present when its steps were undone: the answer is the refusal. */
  readonly isUndone?: true;
}

/** How long a client's Idempotency-Key remains valid after its write. */
export const CLIENT_KEY_RETENTION_MS = 24 * 3_600_000;

/** The owner of keys that another process of this system adds to requests without a key, so that it can repeat them. */
export const ADDED_KEYS = '+';
/** Longer than any of these processes keeps repeating a request. */
export const ADDED_KEY_RETENTION_MS = 120_000;

/** Limits for operations without a key: how long they are kept, and how many at most. */
export const SERVER_ID_RETENTION = { ms: 600_000, count: 100_000 } as const;

export function keyRetentionMs(owner: string | undefined): number {
  return owner === ADDED_KEYS ? ADDED_KEY_RETENTION_MS : CLIENT_KEY_RETENTION_MS;
}

/** The number of keys recorded in one second, as a store finds them at startup. */
export interface HeldKeys {
  readonly owner: string;
  readonly atMs: number;
  readonly count: number;
}

/**
 * The operations that one store remembers. An absent operation never finished here, or its retention time is over. An expired
 * record may still be present; a new operation of the same scope replaces it.
 */
export interface OperationLedger<Answer> {
  findByScope(scope: string): OperationRecord<Answer> | undefined;
  findById(id: string): OperationRecord<Answer> | undefined;
}
