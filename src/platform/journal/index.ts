export { beginJournal } from './begin-segment.js';
export { JOURNAL_CRASH_SITES } from './crash-sites.js';
export { isDiskFull } from './disk-full.js';
export { Journal } from './journal.js';
export type { Appended, JournalOptions, JournalPorts, JournalSink } from './journal.js';
export {
  chainedPosition,
  decodeRecord,
  type EncodedRecord,
  encodeRecord,
  type JournalRecord,
  placeOf,
  type Position,
} from './record.js';
export { GENESIS } from './recovery.js';
