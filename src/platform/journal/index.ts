export { beginJournal } from './begin-segment.js';
export { JOURNAL_CRASH_SITES } from './crash-sites.js';
export { isDiskFull } from './disk-full.js';
export { type EndWitnessPorts, forgetEnd, witnessPath } from './end-witness.js';
export { Journal } from './journal.js';
export type { Appended, JournalOptions, JournalPorts, JournalSink } from './journal-ports.js';
export { endIsMissing, type MissingEnd } from './missing-end.js';
export { chainedPosition, decodeRecord, encodeRecord, type JournalRecord, positionInRecord } from './record.js';
export { type WhenEndIsMissing } from './recovery.js';
