import type { Timers } from '../../kernel/index.js';
import { BatchInit, batchInitAnswer, type ShopGate } from '../shop-sets/index.js';
import type { OpenSqlFile } from '../store-registration/index.js';
import { newItem } from './stock-item.js';
import type { StockRepository } from './stock.repository.js';

const ROWS_PER_COMMIT = 1_000;

export class StockBatchInit extends BatchInit<{ readonly stock: number; readonly price: number }> {
  constructor(file: OpenSqlFile, gate: ShopGate, timers: Timers, items: StockRepository) {
    super(file, gate, timers, {
      rows: 'items',
      rowsPerCommit: ROWS_PER_COMMIT,
      write: (scope, { from, to, setNumber }, { stock, price }) => {
        for (let row = from; row < to; row += 1)
          items.put(scope, newItem({ id: String(row), price, stock, setNumber }));
      },
      answerOf: batchInitAnswer,
    });
  }
}
