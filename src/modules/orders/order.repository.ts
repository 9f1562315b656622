import type { Statement } from 'better-sqlite3';
import type { SqlDatabase } from '../../platform/sql/index.js';
import { RowSeal, sealOf } from '../../platform/sql-check/index.js';
import { SEALED_ORDERS } from './create-orders.migration.js';
import { decodedLines, encodedLines } from './order-lines.js';
import type { Order } from './order.js';

type Values = [
  id: string,
  userId: string,
  state: Order['state'],
  sagaNumber: number | null,
  lines: string,
  setNumber: number,
];

interface Row extends Omit<Order, 'lines'> {
  readonly lines: string;
  readonly seal: number | null;
}

const SELECT = `SELECT id, user_id AS userId, state, saga_number AS sagaNumber, lines, set_number AS setNumber, seal
  FROM orders WHERE id = ?`;

/** Writes run only inside work of the write executor of `orders.db`. */
export class OrderRepository {
  private readonly putRow: Statement<[...Values, seal: number]>;
  private readonly findForWrite: Statement<[string], Row>;
  private readonly findCommitted: Statement<[string], Row>;
  private readonly seal: RowSeal;

  constructor(database: Pick<SqlDatabase, 'writeHandle' | 'reader' | 'damaged'>) {
    const { writeHandle: write } = database;
    this.seal = new RowSeal(SEALED_ORDERS.table, database.damaged);
    this.putRow = write.prepare(
      `INSERT INTO orders (id, user_id, state, saga_number, lines, set_number, seal) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id, state = excluded.state, saga_number = excluded.saga_number,
         lines = excluded.lines, set_number = excluded.set_number, seal = excluded.seal`,
    );
    this.findForWrite = write.prepare(SELECT);
    this.findCommitted = database.reader.handle.prepare(SELECT);
  }

  /** Inserts the order, or replaces the order that has its id. */
  put(order: Order): void {
    const values = valuesOf({ ...order, lines: encodedLines(order.lines) });
    this.putRow.run(...values, sealOf(values));
  }

  /** Sees the earlier changes of the same commit. */
  findWithinWrite(id: string): Order | undefined {
    return this.checked(this.findForWrite.get(id));
  }

  find(id: string): Order | undefined {
    return this.checked(this.findCommitted.get(id));
  }

  /** Throws `storage-damaged`. */
  private checked(row: Row | undefined): Order | undefined {
    if (row === undefined) return undefined;
    this.seal.check(row.id, row.seal, valuesOf(row));
    const { id, userId, state, sagaNumber, setNumber } = row;
    return { id, userId, state, sagaNumber, lines: decodedLines(row.lines), setNumber };
  }
}

/** Returns the values in the order of SEALED_ORDERS. */
function valuesOf({ id, userId, state, sagaNumber, lines, setNumber }: Omit<Row, 'seal'>): Values {
  return [id, userId, state, sagaNumber, lines, setNumber];
}
