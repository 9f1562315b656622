import type { OrderLine } from './order.js';

type StoredLine = readonly [itemId: string, quantity: number, price: number];

/** Lines as they stand in a column. */
export function encodedLines(lines: readonly OrderLine[]): string {
  return JSON.stringify(lines.map(({ itemId, quantity, price }): StoredLine => [itemId, quantity, price]));
}

export function decodedLines(text: string): readonly OrderLine[] {
  return (JSON.parse(text) as readonly StoredLine[]).map(([itemId, quantity, price]) => ({ itemId, quantity, price }));
}
