import { Counter, Gauge, type Registry } from 'prom-client';
import type { TransactionReads } from '../../modules/transactions/index.js';
import type { EndedTransaction } from '../../protocols/two-phase-commit/index.js';

export function countTransactions(registry: Registry): (transaction: EndedTransaction) => void {
  const ended = new Counter({
    name: 'bifolio_transactions_total',
    help: 'Transactions over more than one store that have ended since the start.',
    labelNames: ['kind', 'outcome'],
    registers: [registry],
  });
  return ({ kind, state }) => {
    ended.inc({ kind, outcome: state });
  };
}

export function gaugeInDoubt(registry: Registry, transactions: Pick<TransactionReads, 'inDoubt'>): void {
  new Gauge({
    name: 'bifolio_transactions_in_doubt',
    help: 'Transactions that are promised and not decided, without one that is under way, or left to a person.',
    registers: [registry],
    async collect() {
      this.set(await transactions.inDoubt());
    },
  });
}
