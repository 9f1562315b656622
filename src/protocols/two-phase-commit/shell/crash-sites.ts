/** Before and after every step of a coordinator or a recovery that makes something durable. */
export const TWO_PHASE_CRASH_SITES = [
  '2pc.prepare.before',
  '2pc.prepare.after',
  '2pc.decide.before',
  '2pc.decide.after',
  '2pc.commit.before',
  '2pc.commit.after',
  '2pc.veto.before',
  '2pc.veto.after',
  '2pc.abort.before',
  '2pc.abort.after',
  '2pc.recovery.decide.before',
  '2pc.recovery.decide.after',
  '2pc.recovery.commit.before',
  '2pc.recovery.commit.after',
  '2pc.recovery.abort.before',
  '2pc.recovery.abort.after',
] as const;
