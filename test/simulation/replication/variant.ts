import {
  beginPrimary,
  chooseRecovery,
  decideHandshake,
  decideReplica,
  type Heard,
} from '../../../src/protocols/replication/index.js';

/** The code that the world runs: the real cores, or one of them with a bug that the oracles must find. */
export interface Variant {
  readonly beginPrimary: typeof beginPrimary;
  readonly decideReplica: typeof decideReplica;
  readonly decideHandshake: typeof decideHandshake;
  readonly chooseRecovery: typeof chooseRecovery;
  readonly shipsBeforeFsync: boolean;
}

export const REAL: Variant = { beginPrimary, decideReplica, decideHandshake, chooseRecovery, shipsBeforeFsync: false };

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
    decideHandshake: (own, heard, ...sizes) =>
      decideHandshake({ ...own, position: { ...own.position, epoch: 1 } }, ofOneEpoch(heard), ...sizes),
    chooseRecovery: (promised, ...sizes) => chooseRecovery(ofOneEpoch(promised), ...sizes),
  },
  'ship before fsync': { ...REAL, shipsBeforeFsync: true },
  'wiped replica votes': {
    ...REAL,
    decideHandshake: (own, heard, ...sizes) => decideHandshake(own, allVoting(heard), ...sizes),
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
    decideHandshake: (...args) => {
      const decision = decideHandshake(...args);
      return decision.kind === 'ask-promises' ? { kind: 'open', epoch: decision.epoch } : decision;
    },
  },
};
