/**
 * Decides which messages a primary sends to each replica, and which writes are confirmed.
 *
 * Invariant: the primary sends only durable records, and confirms only records that this epoch's replicas hold
 * (confirmation.ts). It stops when it learns of a newer promise, or that its own state is wrong.
 */
import type { ChainPosition } from '../../../kernel/index.js';
import type { PrimaryIdentity, ReplicaAnswer } from '../messages.js';
import { isLiar } from './audit.js';
import { type Confirmed, confirmedOf } from './confirmation.js';
import { type Finding, isLeftAlone, moved, newView, type ReplicaView } from './replica-view.js';

export interface PrimaryState {
  readonly identity: PrimaryIdentity;
  readonly minInSync: number;
  /** `seq` of this epoch's first record; nothing is confirmed before that record is on MIN_INSYNC replicas. */
  readonly epochStartSeq: number;
  readonly durableSeq: number;
  readonly replicas: readonly ReplicaView[];
  /** Writes up to these numbers are confirmed under each concern; neither number decreases. */
  readonly confirmed: Confirmed;
}

/**
 * How a replica's position relates to this primary's history; the shell finds out, because it has the records. An empty history
 * is on every chain. A position beyond our last durable record is off it. `unknown` means that the record is only in a snapshot.
 */
export type ChainRelation = 'on-chain' | 'off-chain' | 'unknown';

export type PrimaryInput =
  | { readonly kind: 'durable'; readonly seq: number }
  /** A message yields at most one of these two. `canShipAfter`: the records after the position can be read one by one. */
  | {
      readonly kind: 'answered';
      readonly replica: string;
      readonly answer: ReplicaAnswer;
      readonly relation: ChainRelation;
      readonly canShipAfter: boolean;
    }
  /** No answer in time, a broken connection, an answer that makes no sense, or a comparison without a result. */
  | { readonly kind: 'failed'; readonly replica: string; readonly error: string }
  /** Time for a heartbeat or another attempt. Ignored while a message is under way. */
  | { readonly kind: 'due'; readonly replica: string }
  /** State hashes at one position: this primary's, and those of the replica to verify or of all replicas in a routine check. */
  | { readonly kind: 'audited'; readonly own: string; readonly replicas: Readonly<Record<string, string>> };

export type PrimaryEffect =
  /** Send the records after `afterSeq` that fit, perhaps none. If they are gone, send none after our last one, as a question. */
  | { readonly kind: 'send-append'; readonly replica: string; readonly afterSeq: number }
  | { readonly kind: 'send-snapshot'; readonly replica: string }
  | { readonly kind: 'send-set-aside'; readonly replica: string }
  /** Compare state hashes at one position; `audited` with this replica in it follows, or `failed`. */
  | { readonly kind: 'verify'; readonly replica: string }
  | { readonly kind: 'confirmed'; readonly all: number; readonly majority: number }
  /** This primary can no longer keep a promise: end the process at once, and do nothing that came with this. */
  | { readonly kind: 'stop'; readonly reason: string };

export interface PrimaryDecision {
  readonly state: PrimaryState;
  readonly effects: readonly PrimaryEffect[];
}

type Answered = Extract<PrimaryInput, { kind: 'answered' }>;
type Audited = Extract<PrimaryInput, { kind: 'audited' }>;

/** `epochStart` is the durable position of the record `epoch-started`, which goes to each replica at once. */
export function beginPrimary(options: {
  readonly identity: PrimaryIdentity;
  readonly replicas: readonly string[];
  readonly minInSync: number;
  readonly epochStart: ChainPosition;
}): PrimaryDecision {
  const { identity, minInSync, epochStart } = options;
  const { seq } = epochStart;
  const views = options.replicas.map((name) => ({ ...newView(name), isBusy: true, sentDurableSeq: seq }));
  const base = { identity, minInSync, epochStartSeq: seq, durableSeq: seq };
  const state: PrimaryState = { ...base, replicas: views, confirmed: { all: 0, majority: 0 } };
  const sends = views.map(({ name }): PrimaryEffect => ({ kind: 'send-append', replica: name, afterSeq: seq - 1 }));
  return withConfirmation(state, sends);
}

export function decidePrimary(state: PrimaryState, input: PrimaryInput): PrimaryDecision {
  switch (input.kind) {
    case 'durable':
      return shipEverywhere({ ...state, durableSeq: Math.max(state.durableSeq, input.seq) });
    case 'answered':
      return takeAnswer(state, input);
    case 'failed':
      return takeFailure(state, input.replica, input.error);
    case 'due':
      return approach(state, input.replica);
    case 'audited':
      return judge(state, input);
  }
}

function shipEverywhere(state: PrimaryState): PrimaryDecision {
  return step(state, (view) => (isShippable(view) && view.ackedSeq < state.durableSeq ? send(state, view) : undefined));
}

function takeAnswer(state: PrimaryState, input: Answered): PrimaryDecision {
  const view = find(state, input.replica);
  if (!view?.isBusy || view.isVerifying) return { state, effects: [] };
  const { verdict, report } = input.answer;
  if (verdict === 'stale-epoch') return stop(state, input);
  if (verdict === 'foreign-cluster') {
    return takeFailure(state, view.name, `the replica belongs to another cluster (${report.clusterId ?? 'none'})`);
  }
  const [finding, error] = findingOf(state, view, input);
  const found = moved(view, finding, error);
  const hasForgotten = report.position.seq < view.ackedSeq;
  const isKnown = input.relation === 'on-chain' && finding !== 'differs';
  const ackedSeq = isKnown ? report.position.seq : hasForgotten ? 0 : found.ackedSeq;
  const mustVerify = found.mustVerify || hasForgotten;
  return step(state, (each) =>
    each === view ? proceed(state, { ...found, ackedSeq, mustVerify, isBusy: false }) : undefined,
  );
}

function findingOf(state: PrimaryState, view: ReplicaView, input: Answered): [Finding, string?] {
  const { verdict, report } = input.answer;
  const { seq } = report.position;
  if (view.condition === 'quarantined' && seq > 0) return ['differs'];
  if (verdict === 'diverged' || input.relation === 'off-chain') {
    return ['differs', `the history of the replica differs (it was at ${report.position.epoch}.${seq})`];
  }
  const isReadable = input.relation === 'on-chain' && (input.canShipAfter || seq >= state.durableSeq);
  if (!isReadable) return ['too-far-behind', 'the replica needs records that are only in a snapshot'];
  if (seq < view.ackedSeq)
    return ['has-forgotten', `the replica had acknowledged ${view.ackedSeq} and holds only ${seq}`];
  return [verdict === 'accepted' && seq >= view.sentDurableSeq && !view.mustVerify ? 'level' : 'behind'];
}

function takeFailure(state: PrimaryState, name: string, error: string): PrimaryDecision {
  return step(state, (view) =>
    view.name === name && view.isBusy
      ? { view: { ...moved(view, 'silent', error), isBusy: false, isVerifying: false } }
      : undefined,
  );
}

function approach(state: PrimaryState, name: string): PrimaryDecision {
  return step(state, (view) => {
    if (view.name !== name || view.isBusy || isLeftAlone(view)) return undefined;
    return view.condition === 'quarantined' ? sendQuarantine(state, view) : send(state, view);
  });
}

function judge(state: PrimaryState, { own, replicas }: Audited): PrimaryDecision {
  if (isLiar(own, Object.values(replicas))) {
    const reason =
      'replicas agree on a state that differs from the state of this primary: this primary cannot be trusted';
    return { state, effects: [{ kind: 'stop', reason }] };
  }
  return step(state, (view) => {
    const hash = replicas[view.name];
    if (hash === undefined) return undefined;
    const idle = view.isVerifying ? { ...view, isBusy: false, isVerifying: false } : view;
    if (hash !== own) return proceed(state, moved(idle, 'differs', 'its state differs from the primary’s'));
    return view.isVerifying ? proceed(state, { ...idle, mustVerify: false }) : undefined;
  });
}

interface Turn {
  readonly view: ReplicaView;
  readonly effect?: PrimaryEffect;
}

function proceed(state: PrimaryState, view: ReplicaView): Turn {
  if (view.isBusy || isLeftAlone(view)) return { view };
  switch (view.condition) {
    case 'unreachable':
      return { view };
    case 'quarantined':
      return sendQuarantine(state, view);
    case 'snapshot':
      // This holds even when the answer is lost, because the installed snapshot has not been compared.
      return {
        view: { ...sending(state, view), mustVerify: true },
        effect: { kind: 'send-snapshot', replica: view.name },
      };
    case 'catching-up':
      if (!view.mustVerify || view.ackedSeq < view.sentDurableSeq) return send(state, view);
      return { view: { ...view, isBusy: true, isVerifying: true }, effect: { kind: 'verify', replica: view.name } };
    case 'in-sync':
      return view.ackedSeq < state.durableSeq ? send(state, view) : { view };
  }
}

function isShippable({ isBusy, condition }: ReplicaView): boolean {
  return !isBusy && (condition === 'in-sync' || condition === 'catching-up');
}

/** An unreachable replica may be at any position: the primary asks with an append that is no use to it, but small. */
function send(state: PrimaryState, view: ReplicaView): Turn {
  const afterSeq = view.condition === 'unreachable' ? state.durableSeq : view.ackedSeq;
  return { view: sending(state, view), effect: { kind: 'send-append', replica: view.name, afterSeq } };
}

function sendQuarantine(state: PrimaryState, view: ReplicaView): Turn {
  return { view: sending(state, view), effect: { kind: 'send-set-aside', replica: view.name } };
}

function sending(state: PrimaryState, view: ReplicaView): ReplicaView {
  return { ...view, isBusy: true, sentDurableSeq: state.durableSeq };
}

function stop(state: PrimaryState, { replica, answer }: Answered): PrimaryDecision {
  const { promisedEpoch, promisedPrimaryId } = answer.report;
  const { epoch, primaryId } = state.identity;
  const isOverruled = promisedEpoch > epoch || (promisedEpoch === epoch && promisedPrimaryId !== primaryId);
  if (!isOverruled)
    return takeFailure(state, replica, `the replica refuses epoch ${epoch} and has promised ${promisedEpoch}`);
  const reason = `${replica} has promised epoch ${promisedEpoch} to another primary; this one has ${epoch}`;
  return { state, effects: [{ kind: 'stop', reason }] };
}

function find(state: PrimaryState, name: string): ReplicaView | undefined {
  return state.replicas.find((view) => view.name === name);
}

/** Returns the state with the views that `turn` changes, the messages that follow, and any new confirmation. */
function step(state: PrimaryState, turn: (view: ReplicaView) => Turn | undefined): PrimaryDecision {
  const turns = state.replicas.map((view): Turn => turn(view) ?? { view });
  const replicas = turns.map(({ view }) => view);
  return withConfirmation(
    { ...state, replicas },
    turns.flatMap(({ effect }) => effect ?? []),
  );
}

function withConfirmation(state: PrimaryState, effects: readonly PrimaryEffect[]): PrimaryDecision {
  const confirmed = confirmedOf(state);
  const { all, majority } = state.confirmed;
  if (confirmed.all === all && confirmed.majority === majority) return { state, effects };
  return { state: { ...state, confirmed }, effects: [...effects, { kind: 'confirmed', ...confirmed }] };
}
