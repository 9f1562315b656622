/**
 * Decides what a replica does with a message.
 *
 * Invariant: the durable records here are a prefix of one primary's history, of the newest epoch that ever reached this
 * replica. The replica truncates nothing, takes nothing from before a promised epoch, and reports only durable records. The
 * rules for a promise and for the order of histories are those of Raft's terms and logs (Ongaro, Ousterhout 2014).
 */
import {
  type LogPosition,
  type ChainPosition,
  type EncodedRecord,
  GENESIS,
  isAheadOf,
  isAsFarAs,
} from '../../../kernel/index.js';
import type {
  AppendMessage,
  InstallMessage,
  PrimaryIdentity,
  ReplicaAnswer,
  ReplicaMessage,
  ReplicaReport,
  ReplicaVerdict,
} from '../messages.js';

/** A replica's state beside its records, in one small file that is replaced durably. */
export interface ReplicaPromise {
  /** 0 and undefined before the first promise, as in the report. */
  readonly promisedEpoch: number;
  readonly promisedPrimaryId: string | undefined;
  readonly canVote: boolean;
  /** The farthest position that the replica lost or quarantined: until it is back there, it may have forgotten something. */
  readonly forgot: LogPosition;
}

/** The promise of a new replica, or of a replica that lost its disk: neither can vouch for anything. */
export const NO_PROMISE: ReplicaPromise = {
  promisedEpoch: 0,
  promisedPrimaryId: undefined,
  canVote: false,
  forgot: { epoch: 0, seq: 0 },
};

/**
 * A replica may have acknowledged what it lost up to `expected`, or up to an unknown position when that is undefined. It vouches
 * for nothing until it is back there and has caught up.
 */
export function promiseAfterLoss(promise: ReplicaPromise, expected: LogPosition | undefined): ReplicaPromise {
  const isFarther = expected !== undefined && isAheadOf(expected, promise.forgot);
  const forgot = isFarther ? { epoch: expected.epoch, seq: expected.seq } : promise.forgot;
  return { ...promise, canVote: false, forgot };
}

export interface ReplicaState extends ReplicaReport, ReplicaPromise {}

/** The shell carries these out in order, each durable before the next, and decides on the next message only after the last. */
export type ReplicaEffect =
  | { readonly kind: 'keep-promise'; readonly promise: ReplicaPromise }
  | { readonly kind: 'append'; readonly records: readonly EncodedRecord[] }
  | { readonly kind: 'install'; readonly position: ChainPosition }
  /** Rename all data, then begin empty. The promise remains. */
  | { readonly kind: 'set-aside' }
  | { readonly kind: 'answer'; readonly answer: ReplicaAnswer };

export interface ReplicaDecision {
  readonly state: ReplicaState;
  /** The last effect is always the answer. */
  readonly effects: readonly ReplicaEffect[];
}

export function decideReplica(state: ReplicaState, message: ReplicaMessage): ReplicaDecision {
  const refusal = refusalOf(state, message);
  if (refusal) return answer(state, [], refusal);
  const { epoch: promisedEpoch, primaryId: promisedPrimaryId } = message.from;
  const promised = keep(state, { promisedEpoch, promisedPrimaryId });
  switch (message.kind) {
    case 'append':
      return takeRecords(promised, message);
    case 'install':
      return takeSnapshot(promised, message);
    case 'set-aside':
      return quarantine(promised);
    case 'promise':
      return answer(promised.state, promised.effects, 'accepted');
  }
}

export function reportOf(state: ReplicaState): ReplicaReport {
  const { clusterId, promisedEpoch, promisedPrimaryId, position, firstSeq, canVote } = state;
  return { clusterId, promisedEpoch, promisedPrimaryId, position, firstSeq, canVote };
}

interface Progress {
  readonly state: ReplicaState;
  readonly effects: readonly ReplicaEffect[];
}

function refusalOf(state: ReplicaState, { from }: ReplicaMessage): ReplicaVerdict | undefined {
  const { clusterId } = from as Partial<PrimaryIdentity>;
  if (clusterId !== undefined && state.clusterId !== undefined && clusterId !== state.clusterId) {
    return 'foreign-cluster';
  }
  if (from.epoch < state.promisedEpoch) return 'stale-epoch';
  // Two primaries in one epoch would give different records the same numbers.
  if (from.epoch === state.promisedEpoch && from.primaryId !== state.promisedPrimaryId) return 'stale-epoch';
  return undefined;
}

function takeRecords(promised: Progress, message: AppendMessage): ReplicaDecision {
  const { state } = promised;
  const { after, records, from } = message;
  if (state.position.seq < after.seq) return answer(state, promised.effects, 'gap');
  const met = state.position.seq === after.seq ? after : records.find(({ seq }) => seq === state.position.seq);
  // All these records are older than what is here, and nothing in them shows whether the two histories are one.
  if (!met) return answer(state, promised.effects, 'accepted');
  if (met.hash !== state.position.hash) return answer(state, promised.effects, 'diverged');
  const news = records.filter(({ seq }) => seq > state.position.seq);
  const last = news.at(-1);
  const taken: Progress = last
    ? {
        state: { ...state, clusterId: from.clusterId, position: { epoch: last.epoch, seq: last.seq, hash: last.hash } },
        effects: [...promised.effects, { kind: 'append', records: news }],
      }
    : promised;
  const hasCaughtUp = taken.state.position.seq >= message.durableSeq && isAsFarAs(taken.state.position, state.forgot);
  const vouching = hasCaughtUp ? keep(taken.state, { canVote: true }) : { state: taken.state, effects: [] };
  return answer(vouching.state, [...taken.effects, ...vouching.effects], 'accepted');
}

function takeSnapshot(promised: Progress, { position, from }: InstallMessage): ReplicaDecision {
  const { state, effects } = promised;
  // More records arrived after this snapshot was sent, so the data here is newer.
  if (position.seq <= state.position.seq) return answer(state, effects, 'accepted');
  // A record here has a newer epoch at a lower number, so the two histories differ.
  if (position.epoch < state.position.epoch) return answer(state, effects, 'diverged');
  const installed = { ...state, clusterId: from.clusterId, position, firstSeq: position.seq + 1 };
  return answer(installed, [...effects, { kind: 'install', position }], 'accepted');
}

function quarantine({ state, effects }: Progress): ReplicaDecision {
  if (state.position.seq === 0) return answer(state, effects, 'accepted');
  // The promise is kept first: a crash between the two must not leave an empty replica that vouches.
  const silenced = keep(state, promiseAfterLoss(state, state.position));
  const empty = { ...silenced.state, clusterId: undefined, position: GENESIS, firstSeq: 1 };
  return answer(empty, [...effects, ...silenced.effects, { kind: 'set-aside' }], 'accepted');
}

/** Returns the state with these parts of its promise, and the effect that makes them durable if they changed. */
function keep(state: ReplicaState, parts: Partial<ReplicaPromise>): Progress {
  const kept = { ...state, ...parts };
  const { promisedEpoch, promisedPrimaryId, canVote, forgot } = kept;
  const isKnown =
    promisedEpoch === state.promisedEpoch &&
    promisedPrimaryId === state.promisedPrimaryId &&
    canVote === state.canVote &&
    forgot === state.forgot;
  if (isKnown) return { state, effects: [] };
  return {
    state: kept,
    effects: [{ kind: 'keep-promise', promise: { promisedEpoch, promisedPrimaryId, canVote, forgot } }],
  };
}

function answer(state: ReplicaState, effects: readonly ReplicaEffect[], verdict: ReplicaVerdict): ReplicaDecision {
  return { state, effects: [...effects, { kind: 'answer', answer: { verdict, report: reportOf(state) } }] };
}
