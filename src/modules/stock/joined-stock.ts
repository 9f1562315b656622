import { SEALED_STOCK } from './create-stock.migration.js';

/**
 * For statements that select from another table: the stock of the item that `joinItem` joins. It is -1 when there is no item, or
 * when its quantities do not add up, as after damage. A list of books reads this much faster than a whole row and its seal.
 */
export const JOINED_STOCK = 'iif(item.stock + item.sold = item.delivered, item.stock, -1)';

/** `id` is the SQL of the item's id. */
export function joinItem(id: string): string {
  return `LEFT JOIN ${SEALED_STOCK.table} AS item ON item.id = ${id}`;
}
