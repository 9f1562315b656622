import type { Statement } from 'better-sqlite3';
import {
  type Clock,
  type HeldKeys,
  keyRetentionMs,
  type OperationLedger,
  type OperationRecord,
  type OperationStamp,
  SERVER_ID_RETENTION,
} from '../../kernel/index.js';
import { RowSeal, sealOf } from '../sql-check/index.js';
import { OperationKeys, UNOWNED } from './operation-keys.js';
import type { SqlDatabase } from './sql-database.js';

const RECORDED_PER_PRUNE = 500;
const PRUNED_AT_ONCE = 1_000;
/** Until the next full count, work that fails leaves the count without keys too high if it recorded, or too low if it also pruned. */
const RECORDED_PER_COUNT = 100_000;

/** An answer in the columns of the table. `body` is serialised JSON; null where the answer has none. */
export interface RecordedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** What an adapter passes with a write for its record. */
export interface Recording<Outcome> {
  readonly operation: OperationStamp;
  /** Makes the answer from the write's outcome, within its commit: synchronous and cheap. */
  readonly answerOf: (outcome: Outcome) => RecordedAnswer;
}

interface Row {
  readonly id: string;
  readonly body_hmac: string | null;
  readonly at_ms: number;
  readonly status: number;
  readonly headers: string;
  readonly body: string | null;
  readonly seal: number | null;
}

/** The operations whose writes went to this SQL file, each in the same commit as its write. */
export class SqlOperationLedger implements OperationLedger<RecordedAnswer> {
  private readonly insert: Statement<
    [string, string | null, string | null, string | null, number, number, number, string, string | null, number]
  >;
  private readonly deleteExpiredOfScope: Statement<[string, number]>;
  private readonly deleteExpiredKeys: Statement<[number, number]>;
  private readonly deleteOldestWithoutKey: Statement<[number, number, number]>;
  private readonly countWithoutKey: Statement<[], number>;
  private readonly keys: OperationKeys;
  private readonly byScope: Statement<[string], Row>;
  private readonly byId: Statement<[string], Row>;
  private readonly seal: RowSeal;
  private readonly goingOn = new Map<string, OperationRecord<RecordedAnswer>>();
  private recordedSincePrune = 0;
  private recordedSinceCount = 0;
  /** Undefined until the first count. */
  private withoutKey: number | undefined;

  constructor(
    database: Pick<SqlDatabase, 'writeHandle' | 'reader' | 'damaged'>,
    private readonly clock: Clock,
  ) {
    const { writeHandle: write } = database;
    const read = database.reader.handle;
    const columns = 'id, body_hmac, at_ms, status, headers, body, seal';
    this.seal = new RowSeal('operations', database.damaged);
    this.insert = write.prepare(
      `INSERT INTO operations (id, scope, body_hmac, owner, at_ms, expires_at_ms, status, headers, body, seal)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.deleteExpiredOfScope = write.prepare('DELETE FROM operations WHERE scope = ? AND expires_at_ms <= ?');
    this.deleteExpiredKeys = write.prepare(
      `DELETE FROM operations WHERE rowid IN (
         SELECT rowid FROM operations WHERE owner IS NOT NULL AND expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?)`,
    );
    // The scope index keeps rows without a scope in the order of their rows, which is that of time.
    this.deleteOldestWithoutKey = write.prepare(
      `DELETE FROM operations WHERE rowid IN (
         SELECT rowid FROM (
           SELECT rowid, expires_at_ms, row_number() OVER (ORDER BY rowid) AS nth
           FROM operations WHERE scope IS NULL ORDER BY rowid LIMIT ?)
         WHERE nth <= ? OR expires_at_ms <= ?)`,
    );
    this.countWithoutKey = write.prepare<[], number>('SELECT count(*) FROM operations WHERE scope IS NULL').pluck();
    this.keys = new OperationKeys(read);
    this.byScope = read.prepare(`SELECT ${columns} FROM operations WHERE scope = ?`);
    this.byId = read.prepare(`SELECT ${columns} FROM operations WHERE id = ?`);
  }

  /**
   * Records and returns the answer for `outcome`. Only inside work of the write executor: durable with its commit, gone when the
   * work fails. Throws when the scope has an unexpired operation.
   */
  record<Outcome>({ operation, answerOf }: Recording<Outcome>, outcome: Outcome): RecordedAnswer {
    const answer = answerOf(outcome);
    const nowMs = this.clock.nowMs();
    const keptMs = operation.scope === undefined ? SERVER_ID_RETENTION.ms : keyRetentionMs(operation.owner);
    if (operation.scope !== undefined) this.deleteExpiredOfScope.run(operation.scope, nowMs);
    const { id, scope = null, bodyHmac = null } = operation;
    const owner = scope === null ? null : (operation.owner ?? UNOWNED);
    const { status, body } = answer;
    const headers = JSON.stringify(answer.headers);
    const seal = sealOf([id, bodyHmac, nowMs, status, headers, body]);
    this.insert.run(id, scope, bodyHmac, owner, nowMs, nowMs + keptMs, status, headers, body, seal);
    if (scope === null && this.withoutKey !== undefined) this.withoutKey += 1;
    this.recordedSincePrune += 1;
    if (this.recordedSincePrune >= RECORDED_PER_PRUNE) this.prune(nowMs);
    return answer;
  }

  /** Shows the operation as running until `ended` settles, for a write that takes more than one commit. */
  announce({ id, bodyHmac }: OperationStamp, ended: Promise<unknown>): void {
    const forget = (): void => {
      this.goingOn.delete(id);
    };
    const record = { id, bodyHmac, atMs: this.clock.nowMs(), answer: undefined };
    this.goingOn.set(id, { ...record, ended: ended.then(forget, forget) });
  }

  findByScope(scope: string): OperationRecord<RecordedAnswer> | undefined {
    return this.toRecord(this.byScope.get(scope));
  }

  findById(id: string): OperationRecord<RecordedAnswer> | undefined {
    return this.toRecord(this.byId.get(id)) ?? this.goingOn.get(id);
  }

  /**
   * The unexpired keys, by owner and second, without those that `OperationKeysAhead` has counted up to `belowMs`. The consumer may pause
   * between any two.
   */
  *heldKeys(belowMs = 0): Generator<HeldKeys, void, undefined> {
    const nowMs = this.clock.nowMs();
    yield* this.keys.addedBefore(nowMs);
    yield* this.keys.expiring(Math.max(nowMs + 1, belowMs), Number.MAX_SAFE_INTEGER);
  }

  private prune(nowMs: number): void {
    this.recordedSinceCount += this.recordedSincePrune;
    this.recordedSincePrune = 0;
    this.deleteExpiredKeys.run(nowMs, PRUNED_AT_ONCE);
    const withoutKey = this.counted();
    const surplus = withoutKey - SERVER_ID_RETENTION.count;
    this.withoutKey = withoutKey - this.deleteOldestWithoutKey.run(PRUNED_AT_ONCE, surplus, nowMs).changes;
  }

  /** The number of operations without a key. Counting takes milliseconds, so it is rare. */
  private counted(): number {
    if (this.withoutKey !== undefined && this.recordedSinceCount < RECORDED_PER_COUNT) return this.withoutKey;
    this.recordedSinceCount = 0;
    return this.countWithoutKey.get() ?? 0;
  }

  /** Throws `storage-damaged`. */
  private toRecord(row: Row | undefined): OperationRecord<RecordedAnswer> | undefined {
    if (row === undefined) return undefined;
    const { id, body_hmac, at_ms, status, headers, body } = row;
    this.seal.check(id, row.seal, [id, body_hmac, at_ms, status, headers, body]);
    const answer = { status, headers: JSON.parse(headers) as Record<string, string>, body };
    return { id, bodyHmac: body_hmac ?? undefined, atMs: at_ms, answer };
  }
}
