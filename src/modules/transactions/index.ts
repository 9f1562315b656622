export { answerTransaction, completedAnswer, type CompleteBody } from './adapters/http/transaction-answers.js';
export type { Decided } from './decided.js';
export { TRANSACTION_QUERIES } from './adapters/http/transactions.controller.js';
export { TransactionReads } from './transaction-reads.js';
export type { DecisionRows, PromiseHolder, RunningTransactions, TransactionViewRow } from './transaction-sources.js';
export { TransactionsModule, type TransactionsModuleOptions } from './transactions.module.js';
