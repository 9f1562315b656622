/**
 * What a write carries into its first durable step, so that one record can serve replay and `GET /operations/{id}`.
 * `scope` names caller, method, route with its decoded parameters, and Idempotency-Key; it is absent when the client sent
 * no key.
 */
export interface OperationStamp {
  readonly id: string;
  readonly scope?: string;
  /** HMAC-SHA256 of the request body, keyed: bodies may hold passwords. Present exactly when `scope` is. */
  readonly bodyHmac?: string;
  /** Whom the key counts for: a caller, or ADDED_KEYS. Absent where `scope` is, and from records of earlier versions. */
  readonly owner?: string;
}

/**
 * A finished operation. It exists exactly when the write it belongs to is durable. `Answer` is what the adapter has made
 * of its outcome: stores keep it and give it back, and only adapters read it.
 */
export interface OperationRecord<Answer> {
  readonly id: string;
  readonly bodyHmac: string | undefined;
  /** Milliseconds since the Unix epoch, taken when the operation was recorded. */
  readonly atMs: number;
  /** Undefined while not all stores of a transaction have carried it out: only then is the whole answer known. */
  readonly answer: Answer | undefined;
}

/** How long an Idempotency-Key of a client holds after the write that it was sent with. */
export const CLIENT_KEY_RETENTION_MS = 24 * 3_600_000;

/** The owner of keys that another process of this system has added to requests without one, so that it can repeat them. */
export const ADDED_KEYS = '+';
/** Longer than any of these processes goes on repeating a request. */
export const ADDED_KEY_RETENTION_MS = 120_000;

/** Of operations without a key: how long they are known, and how many at most. */
export const SERVER_ID_RETENTION = { ms: 600_000, count: 100_000 } as const;

/** How long the record of an operation with a key of this owner is kept. */
export function keyRetentionMs(owner: string | undefined): number {
  return owner === ADDED_KEYS ? ADDED_KEY_RETENTION_MS : CLIENT_KEY_RETENTION_MS;
}

/** So many keys that were recorded in that second, as a store finds them at a start. */
export interface HeldKeys {
  readonly owner: string;
  readonly atMs: number;
  readonly count: number;
}

/**
 * The operations one store remembers. Absent means: never finished here, or forgotten after its retention time. It may
 * still be there after that; then a new operation of the same scope takes its place.
 */
export interface OperationLedger<Answer> {
  findByScope(scope: string): OperationRecord<Answer> | undefined;
  findById(id: string): OperationRecord<Answer> | undefined;
}
