import { logPositionText } from '../../../kernel/index.js';
import { existsSync } from 'node:fs';
import { bookstoreIn } from '../../../platform/sql/index.js';
import type { Recovery } from './recover.js';

const MAX_LISTED = 20;
const ABOUT_DECIDED =
  '  Committed before the loss, by their rows in the database that was here; what was restored has its part of each. ' +
  'The other part is where your backup of the database has that row; nothing more is to be decided.';
const ABOUT_UNMATCHED =
  '  Promised before the loss, and only the database knows what became of them. With its backup in place, "npm start" ' +
  'settles those that it decided; the others wait for you under /transactions?state=unmatched.';

export function linesOf(recovery: Recovery, dataDirectory: string): readonly string[] {
  switch (recovery.kind) {
    case 'impossible':
      return [
        `Not possible: ${recovery.reason}`,
        ...recovery.silent.map((line) => `  ${line}`),
        'Nothing was changed here. Start the replicas that are missing, then run this again.',
      ];
    case 'possible':
      return [
        `Would restore the customers up to ${show(recovery)} from ${recovery.choice.replica}; ` +
          `${String(recovery.heard)} replicas answered.`,
        'This was a dry run: nothing was promised and nothing was written.',
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
    ? 'what is there now was left as it is'
    : 'without one the next start begins without books';
  return [
    `Restored ${String(copied.customers)} customers up to ${show(recovery)} from ${choice.replica}; ` +
      `${String(heard)} replicas promised to follow no earlier primary.`,
    ...(kept === undefined ? [] : [`What was in their place is kept in ${kept}.`]),
    `Not restored: books, which replicas do not hold. Put your own backup of ${sqlFile} there, with its .commits and without -wal and -shm beside it; ${books}.`,
    ...group('decided', copied.transactions.decided, ABOUT_DECIDED),
    ...group('unmatched', copied.transactions.unmatched, ABOUT_UNMATCHED),
    '"npm start" goes on from here.',
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
