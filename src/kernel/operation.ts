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

/** A whole answer, as it was or would be sent. `body` is serialised JSON; null where the answer has none. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /**
   * The place in the replicated history, `<epoch>.<seq>`, that a write concern waits for. Absent: that of `x-commit`. A
   * transaction has made its promise to replicas earlier, and its commit waits for none.
   */
  readonly promisedAt?: string;
}

/**
 * The answer to a write of which more is to come: it is not decided (`running`), or it is `committed` and not known to be
 * where it has to be.
 */
export function acceptedAnswer(operationId: string, state: 'running' | 'committed'): Answer {
  const headers = { location: `/operations/${operationId}` };
  return { status: 202, headers, body: JSON.stringify({ operationId, state }) };
}

/**
 * The answer to a transaction with where it stands in the documents' history: its change, and the promise of it. Without
 * a place of the change it is as it was.
 */
export function placedAnswer(answer: Answer, commit: string | undefined, promisedAt: string | undefined): Answer {
  if (commit === undefined) return answer;
  return {
    ...answer,
    headers: { ...answer.headers, 'x-commit': commit },
    ...(promisedAt !== undefined && promisedAt !== '' && { promisedAt }),
  };
}

/** A finished operation. It exists exactly when the write it belongs to is durable. */
export interface OperationRecord {
  readonly id: string;
  readonly bodyHmac: string | undefined;
  /** Milliseconds since the Unix epoch, taken when the operation was recorded. */
  readonly atMs: number;
  readonly answer: Answer;
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
export interface OperationLedger {
  findByScope(scope: string): OperationRecord | undefined;
  findById(id: string): OperationRecord | undefined;
}
