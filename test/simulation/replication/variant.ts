import {
  beginPrimary,
  chooseRecovery,
  decideOpening,
  decideReplica,
  type Heard,
} from '../../../src/protocols/replication/index.js';

/** What the world runs: the real cores, or one of them with a bug that the oracles must find. */
export interface Variant {
  readonly beginPrimary: typeof beginPrimary;
  readonly decideReplica: typeof decideReplica;
  readonly decideOpening: typeof decideOpening;
  readonly chooseRecovery: typeof chooseRecovery;
  readonly shipsBeforeFsync: boolean;
}

export const REAL: Variant = { beginPrimary, decideReplica, decideOpening, chooseRecovery, shipsBeforeFsync: false };

const mapped = (heard: Heard, change: (report: Heard[string]) => Heard[string]): Heard =>
  Object.fromEntries(Object.entries(heard).map(([name, report]) => [name, change(report)]));

const ofOneEpoch = (heard: Heard): Heard =>
  mapped(heard, (report) => ({ ...report, position: { ...report.position, epoch: 1 } }));

const allVoting = (heard: Heard): Heard => mapped(heard, (report) => ({ ...report, canVote: true }));

export const PLANTED: Readonly<Record<string, Variant>> = {
  'acknowledge with a shrunken in-sync set': {
    ...REAL,
    beginPrimary: (options) => beginPrimary({ ...options, minInSync: Math.min(1, options.minInSync) }),
  },
  'longest log wins': {
    ...REAL,
    decideOpening: (own, heard, ...sizes) =>
      decideOpening({ ...own, position: { ...own.position, epoch: 1 } }, ofOneEpoch(heard), ...sizes),
    chooseRecovery: (promised, ...sizes) => chooseRecovery(ofOneEpoch(promised), ...sizes),
  },
  'ship before fsync': { ...REAL, shipsBeforeFsync: true },
  'wiped replica votes': {
    ...REAL,
    decideOpening: (own, heard, ...sizes) => decideOpening(own, allVoting(heard), ...sizes),
    chooseRecovery: (promised, ...sizes) => chooseRecovery(allVoting(promised), ...sizes),
  },
  'counts acks before the epoch record': {
    ...REAL,
    beginPrimary: (options) => {
      const begun = beginPrimary(options);
      return { ...begun, state: { ...begun.state, epochStartSeq: 0 } };
    },
  },
  'snapshot installed over a newer state': {
    ...REAL,
    decideReplica: (state, message) =>
      message.kind === 'install'
        ? decideReplica({ ...state, position: { ...state.position, seq: 0 } }, message)
        : decideReplica(state, message),
  },
  'opens without promises': {
    ...REAL,
    decideOpening: (...args) => {
      const decision = decideOpening(...args);
      return decision.kind === 'ask-promises' ? { kind: 'open', epoch: decision.epoch } : decision;
    },
  },
};
