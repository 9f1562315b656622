export { JOURNAL_CRASH_SITES } from './crash-sites.js';
export { Journal } from './journal.js';
export type { Appended, JournalOptions, JournalPorts, JournalSink } from './journal.js';
export type { JournalRecord, Position } from './record.js';
export { GENESIS } from './recovery.js';
