export const JOURNAL_CRASH_SITES = [
  'journal.write.before',
  'journal.write.after',
  'journal.synchronize.after',
  'journal.begin-segment.before',
  'journal.begin-segment.written',
  'journal.begin-segment.after',
  'journal.remove-segment.before',
  'journal.remove-segment.after',
  'journal.recovery-cut.before',
  'journal.recovery-cut.after',
] as const;
