import { Counter, Gauge, type Registry } from 'prom-client';
import type { TransactionReads } from '../../modules/transactions/index.js';
import type { EndedTransaction } from '../../protocols/two-phase-commit/index.js';

export function countTransactions(registry: Registry): (transaction: EndedTransaction) => void {
  const ended = new Counter({
    name: 'bifolio_transactions_total',
    help: 'Number of transactions over more than one store that have ended since the start.',
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
    help: 'Number of prepared, undecided transactions that nothing is deciding now, or that need an operator.',
    registers: [registry],
    async collect() {
      this.set(await transactions.inDoubt());
    },
  });
}
