import { type SqlDatabase, SealedRows } from '../../platform/sql/index.js';
import { SEALED_ORDERS } from './create-orders.migration.js';
import { decodedLines, encodedLines } from './order-lines.js';
import type { Order } from './order.js';

interface Row extends Omit<Order, 'lines'> {
  readonly lines: string;
}

/** Writes run only inside work of the write executor of `orders.db`. */
export class OrderRepository {
  private readonly rows: SealedRows<Row>;

  constructor(database: Pick<SqlDatabase, 'writeHandle' | 'reader' | 'damaged'>) {
    this.rows = new SealedRows(database, SEALED_ORDERS, ({ id, userId, state, sagaNumber, lines, setNumber }) => [
      id,
      userId,
      state,
      sagaNumber,
      lines,
      setNumber,
    ]);
  }

  /** Inserts the order, or replaces the order that has its id. */
  put(order: Order): void {
    this.rows.put({ ...order, lines: encodedLines(order.lines) });
  }

  /** Sees the earlier changes of the same commit. Throws `storage-damaged`. */
  findWithinWrite(id: string): Order | undefined {
    return orderOf(this.rows.findWithinWrite(id));
  }

  /** Throws `storage-damaged`. */
  find(id: string): Order | undefined {
    return orderOf(this.rows.find(id));
  }
}

function orderOf(row: Row | undefined): Order | undefined {
  if (row === undefined) return undefined;
  const { id, userId, state, sagaNumber, lines, setNumber } = row;
  return { id, userId, state, sagaNumber, lines: decodedLines(lines), setNumber };
}
