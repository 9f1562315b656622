import { logPositionText } from '../../../kernel/index.js';
import { existsSync } from 'node:fs';
import { bookstoreIn } from '../../../platform/sql/index.js';
import type { Recovery } from './recover.js';

const MAX_LISTED = 20;
const ABOUT_DECIDED =
  '  The lost database had committed them. The restored documents have their part of each; the SQL part is there if ' +
  'your backup of the database has the row. You need not decide anything.';
const ABOUT_UNMATCHED =
  '  Prepared before the loss; only the database knows their outcome. With its backup in place, "npm start" settles ' +
  'the ones that it decided; /transactions?state=unmatched lists the others, which you must decide.';

export function linesOf(recovery: Recovery, dataDirectory: string): readonly string[] {
  switch (recovery.kind) {
    case 'impossible':
      return [
        `Recovery is not possible: ${recovery.reason}`,
        ...recovery.silent.map((line) => `  ${line}`),
        'Nothing was changed here. Start the missing replicas, then run this command again.',
      ];
    case 'possible':
      return [
        `Would restore the customers up to ${show(recovery)} from ${recovery.choice.replica}; ` +
          `${String(recovery.heard)} replicas answered.`,
        'This was a dry run: no replica promised anything, and nothing was written.',
      ];
    case 'restored':
      return restoredLines(recovery, dataDirectory);
  }
}

function restoredLines(recovery: Extract<Recovery, { kind: 'restored' }>, dataDirectory: string): readonly string[] {
  const { choice, copied, heard, kept } = recovery;
  const sqlFile = bookstoreIn(dataDirectory);
  // A refused start may have created an empty file already, so an existing file proves little.
  const books = existsSync(sqlFile)
    ? 'the present file was left unchanged'
    : 'without a backup, the next start begins without books';
  return [
    `Restored ${String(copied.customers)} customers up to ${show(recovery)} from ${choice.replica}; ` +
      `${String(heard)} replicas promised not to follow any earlier primary.`,
    ...(kept === undefined ? [] : [`The earlier documents are kept in ${kept}.`]),
    `Not restored: books, which replicas do not hold. Put your own backup of ${sqlFile} in place with its .commits file, and without -wal and -shm; ${books}.`,
    ...group('decided', copied.transactions.decided, ABOUT_DECIDED),
    ...group('unmatched', copied.transactions.unmatched, ABOUT_UNMATCHED),
    'Run "npm start" to continue.',
  ];
}

function group(name: string, transactions: readonly string[], about: string): readonly string[] {
  return [`${name}: ${listed(transactions)}`, ...(transactions.length === 0 ? [] : [about])];
}

function listed(transactions: readonly string[]): string {
  if (transactions.length === 0) return 'none';
  const more = transactions.length - MAX_LISTED;
  return [...transactions.slice(0, MAX_LISTED), ...(more > 0 ? [`and ${String(more)} more`] : [])].join(', ');
}

function show({ choice }: Extract<Recovery, { kind: 'possible' | 'restored' }>): string {
  return logPositionText(choice.position);
}
