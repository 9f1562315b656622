import type { Timers } from '../../kernel/index.js';
import { BatchInit, batchInitAnswer, type ShopGate } from '../shop-sets/index.js';
import type { OpenSqlFile } from '../store-registration/index.js';
import { newUser } from './payment-user.js';
import type { PaymentRepository } from './payment.repository.js';

const ROWS_PER_COMMIT = 1_000;

export class PaymentBatchInit extends BatchInit<{ readonly startingMoney: number }> {
  constructor(file: OpenSqlFile, gate: ShopGate, timers: Timers, users: PaymentRepository) {
    super(file, gate, timers, {
      rows: 'users',
      rowsPerCommit: ROWS_PER_COMMIT,
      write: (_scope, { from, to, setNumber }, { startingMoney }) => {
        for (let row = from; row < to; row += 1) users.put(newUser(String(row), startingMoney, setNumber));
      },
      answerOf: batchInitAnswer,
    });
  }
}
