import type { Statement } from 'better-sqlite3';
import type { HeldKeys } from '../../../kernel/index.js';
import type { SqlDatabase } from '../../../platform/sql/index.js';
import { RowSeal, type Sealable, sealOf } from '../../../platform/sql-check/index.js';
import { decodedLines, encodedLines } from '../order-lines.js';
import {
  type Checkout,
  CHECKOUT_STATES,
  type CheckoutEnd,
  type CheckoutState,
  type NewCheckout,
  type Refusal,
} from './checkout.js';
import { CheckoutKeys } from './checkout-keys.js';
import { SEALED_SAGAS } from './create-sagas.migration.js';

interface NewRow {
  readonly id: string;
  readonly order_id: string;
  readonly user_id: string;
  readonly lines: string;
  readonly total: number;
  readonly state: CheckoutState;
  readonly reason: string | null;
  readonly scope: string | null;
  readonly body_hmac: string | null;
  readonly owner: string | null;
  readonly started_at_ms: number;
  readonly ended_at_ms: number | null;
}

type Sealed<Row> = Row & { readonly seal: number | null };
type Row = Sealed<NewRow & { readonly number: number }>;

/** One statement for each state, because a partial index serves only a state that the statement itself names. */
type ByState<S> = (state: CheckoutState | undefined) => S;

export interface CheckoutPageRequest {
  readonly after: string;
  readonly limit: number;
  readonly state?: CheckoutState | undefined;
}

const COLUMNS = SEALED_SAGAS.columns;
const COUNTED_AT_ONCE = 50_000;

/** The table `sagas`. Writes run only inside work of the write executor of `orders.db`. */
export class CheckoutRepository {
  private readonly insertRow: Statement<Sealable[]>;
  private readonly endRow: Statement<[CheckoutState, string | null, number | null, number, number]>;
  private readonly findForWrite: Statement<[number], Row>;
  private readonly runningForWrite: Statement<[number, number], Row>;
  private readonly byNumber: Statement<[number], Row>;
  private readonly byId: Statement<[string], Row>;
  private readonly byScope: Statement<[string], Row>;
  private readonly pageRows: ByState<Statement<[string, number], Row>>;
  private readonly countRows: ByState<Statement<[], number>>;
  private readonly countUpTo: Statement<[number, number], number>;
  private readonly keys: CheckoutKeys;
  private readonly seal: RowSeal;
  private readonly write: SqlDatabase['writeHandle'];

  constructor(database: Pick<SqlDatabase, 'writeHandle' | 'reader' | 'damaged'>) {
    const { writeHandle: write } = database;
    const read = database.reader.handle;
    this.write = write;
    const select = `SELECT number, ${COLUMNS.join(', ')}, seal FROM sagas`;
    this.seal = new RowSeal(SEALED_SAGAS.table, database.damaged);
    this.insertRow = write.prepare(
      `INSERT INTO sagas (number, ${COLUMNS.join(', ')}, seal)
       VALUES (?, ${COLUMNS.map(() => '?').join(', ')}, ?)`,
    );
    this.endRow = write.prepare('UPDATE sagas SET state = ?, reason = ?, ended_at_ms = ?, seal = ? WHERE number = ?');
    this.findForWrite = write.prepare(`${select} WHERE number = ?`);
    this.runningForWrite = write.prepare(
      `${select} WHERE state = 'running' AND order_id = CAST(CAST(order_id AS INTEGER) AS TEXT)
         AND CAST(order_id AS INTEGER) >= ? AND CAST(order_id AS INTEGER) < ?`,
    );
    this.byNumber = read.prepare(`${select} WHERE number = ?`);
    this.byId = read.prepare(`${select} WHERE id = ?`);
    // An expired key may have been used again.
    this.byScope = read.prepare(`${select} WHERE scope = ? ORDER BY number DESC LIMIT 1`);
    this.pageRows = byState((where) =>
      read.prepare<[string, number], Row>(`${select} WHERE id > ? AND ${where} ORDER BY id LIMIT ?`),
    );
    this.countRows = byState((where) => read.prepare<[], number>(`SELECT count(*) FROM sagas WHERE ${where}`).pluck());
    this.countUpTo = read
      .prepare<[number, number], number>('SELECT count(*) FROM sagas WHERE number >= ? AND number < ?')
      .pluck();
    this.keys = new CheckoutKeys(read);
  }

  /** The new checkout is running. */
  insert(number: number, checkout: NewCheckout): void {
    const values = valuesOf(rowOf(checkout));
    this.insertRow.run(number, ...values, sealOf(values));
  }

  /** Writes the end of a running checkout. */
  end(running: Checkout, { state, refusal, endedAtMs }: CheckoutEnd): void {
    const reason = refusal === undefined ? null : JSON.stringify(refusal);
    const row = { ...rowOf(running), state, reason, ended_at_ms: endedAtMs };
    this.endRow.run(state, reason, endedAtMs, sealOf(valuesOf(row)), running.number);
  }

  /** Sees the earlier changes of the same commit. */
  findWithinWrite(number: number): Checkout | undefined {
    return this.whole(this.findForWrite.get(number));
  }

  /** Those of the orders `from` to `to` - 1. Sees the earlier changes of the same commit. */
  runningOfOrders(from: number, to: number): readonly Checkout[] {
    return this.runningForWrite.all(from, to).flatMap((row) => this.whole(row) ?? []);
  }

  /** The committed row, from the connection that has just written it unless that is in a transaction. */
  find(number: number): Checkout | undefined {
    return this.whole((this.write.inTransaction ? this.byNumber : this.findForWrite).get(number));
  }

  findById(id: string): Checkout | undefined {
    return this.whole(this.byId.get(id));
  }

  /** The last checkout with this scope of an operation. */
  findByScope(scope: string): Checkout | undefined {
    return this.whole(this.byScope.get(scope));
  }

  /** In the order of their ids. */
  page({ after, limit, state }: CheckoutPageRequest): readonly Checkout[] {
    return this.pageRows(state)
      .all(after, limit)
      .flatMap((row) => this.whole(row) ?? []);
  }

  /** By its index; without one, `completed` looks at all. */
  count(state: CheckoutState): number {
    return this.countRows(state).get() ?? 0;
  }

  /** Yields the counts of pieces, which together are all. The consumer may pause between any two. */
  *countAll(): Generator<number, void, undefined> {
    for (const [from, to] of this.keys.pieces(COUNTED_AT_ONCE)) yield this.countUpTo.get(from, to) ?? 0;
  }

  /** The Idempotency-Keys that may still be held, of the numbers from `from` on, by owner and second. The consumer may pause between any two. */
  heldKeys(from = 0): Iterable<HeldKeys> {
    return this.keys.between(from, Infinity);
  }

  private whole(row: Row | undefined): Checkout | undefined {
    const checked = this.checked(row);
    return checked && checkoutOf(checked);
  }

  /** Throws `storage-damaged`. */
  private checked(row: Row | undefined): Row | undefined {
    if (row !== undefined) this.seal.check(row.number, row.seal, valuesOf(row));
    return row;
  }
}

function byState<S>(prepare: (where: string) => S): ByState<S> {
  const all = prepare('TRUE');
  const each = new Map(CHECKOUT_STATES.map((state) => [state, prepare(`state = '${state}'`)]));
  return (state) => (state === undefined ? all : (each.get(state) ?? all));
}

/** Returns the values in the order of SEALED_SAGAS. */
function valuesOf(row: NewRow): readonly Sealable[] {
  return [
    ...[row.id, row.order_id, row.user_id, row.lines, row.total, row.state, row.reason],
    ...[row.scope, row.body_hmac, row.owner, row.started_at_ms, row.ended_at_ms],
  ];
}

function rowOf({ orderId, userId, lines, total, operation, startedAtMs }: NewCheckout): NewRow {
  const { id, scope = null, bodyHmac = null, owner = null } = operation;
  return {
    ...{ id, order_id: orderId, user_id: userId, lines: encodedLines(lines), total, state: 'running', reason: null },
    ...{ scope, body_hmac: bodyHmac, owner, started_at_ms: startedAtMs, ended_at_ms: null },
  };
}

function checkoutOf(row: NewRow & Pick<Row, 'number'>): Checkout {
  const { id, scope, body_hmac: bodyHmac, owner } = row;
  return {
    number: row.number,
    ...{ orderId: row.order_id, userId: row.user_id, lines: decodedLines(row.lines), total: row.total },
    ...{ state: row.state, refusal: row.reason === null ? undefined : (JSON.parse(row.reason) as Refusal) },
    operation: {
      id,
      ...(scope !== null && { scope }),
      ...(bodyHmac !== null && { bodyHmac }),
      ...(owner !== null && { owner }),
    },
    ...{ startedAtMs: row.started_at_ms, endedAtMs: row.ended_at_ms ?? undefined },
  };
}
