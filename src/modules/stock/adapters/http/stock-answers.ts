import type { Answer } from '../../../../platform/http/index.js';
import type { StockItem } from '../../stock-item.js';
import type { ItemView } from '../../stock.schemas.js';
import type { StockOutcome } from '../../stock.service.js';

export function itemView({ stock, price }: StockItem): ItemView {
  return { stock, price };
}

export function stockAnswer({ change, item }: StockOutcome): Answer {
  if (change === 'changed') return { status: 200, headers: {}, body: JSON.stringify(itemView(item)) };
  return { status: 201, headers: { location: `/stock/find/${item.id}` }, body: JSON.stringify({ item_id: item.id }) };
}
