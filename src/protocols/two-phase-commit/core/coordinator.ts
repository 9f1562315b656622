/**
 * Decides what the coordinator of one transaction asks, sends and answers.
 *
 * Invariant: it asks for `committed` once, and only when every participant has promised. It notifies a participant only of what a
 * row says, or of `abort` when no process can ask for `committed` any more. It answers "not done" only when that is certain.
 * Presumed abort is Mohan's, Lindsay's and Obermarck's (1986), the last resource Gray's (1978).
 */
import { AppError } from '../../../kernel/index.js';
import type { Decision, Acknowledgement, Vote } from '../ports.js';
import { moved, type TransactionState } from './states.js';

export interface BranchState {
  readonly name: string;
  /**
   * `uncertain`: `prepare` had no reliable answer, so it may hold a promise. `untold` (its name on the wire): the transaction
   * is decided, but the participant could not be notified.
   */
  readonly state: 'preparing' | 'prepared' | 'refused' | 'uncertain' | 'committed' | 'aborted' | 'untold';
  /** The log position of its promise, if it has one. */
  readonly position: string | undefined;
  readonly acknowledgement: Acknowledgement | undefined;
}

export interface CoordinatorState {
  readonly state: TransactionState;
  readonly branches: readonly BranchState[];
  /** The request to the last resource that has no answer yet. */
  readonly asked: 'commit' | 'abort' | undefined;
  /** Whether a row is known to exist. */
  readonly hasRow: boolean;
  readonly isAnswered: boolean;
  /** Why it is not done. Present as soon as that is certain, unless a row says otherwise. */
  readonly reason: Error | undefined;
}

export type CoordinatorInput =
  | { readonly kind: 'voted'; readonly participant: string; readonly vote: Vote }
  /** `prepare` was rejected. The participant may be prepared nevertheless. */
  | { readonly kind: 'prepare-failed'; readonly participant: string; readonly error: Error }
  | { readonly kind: 'prepare-overdue'; readonly afterMs: number }
  | { readonly kind: 'answer-overdue' }
  /** The durable decision of the row, from whichever process. */
  | { readonly kind: 'decided'; readonly decision: Decision }
  /** The last resource has not carried out the request, and never will. */
  | { readonly kind: 'refused'; readonly error: Error }
  /** The last resource may or may not have done it. */
  | { readonly kind: 'unknown'; readonly error: Error }
  | { readonly kind: 'notified'; readonly participant: string; readonly acknowledgement: Acknowledgement }
  | { readonly kind: 'notification-failed'; readonly participant: string };

/** The client's answer, given once. */
export type CoordinatorAnswer =
  | { readonly kind: 'committed'; readonly acknowledgements: Readonly<Record<string, Acknowledgement>> }
  /** Committed; not every participant has been notified yet. */
  | { readonly kind: 'pending' }
  | { readonly kind: 'running' }
  /** Not done and never will be; or, with the code `outcome-unknown`, not known. */
  | { readonly kind: 'rejected'; readonly error: Error };

/** The effects of one decision may run at once, in any order. */
export type CoordinatorEffect =
  | { readonly kind: 'prepare'; readonly participant: string }
  | { readonly kind: 'ask-commit' }
  /** Write the row `aborted` if there is no row. */
  | { readonly kind: 'ask-abort'; readonly reason: Error }
  | { readonly kind: 'notify'; readonly participant: string; readonly decision: Decision }
  | { readonly kind: 'complete'; readonly acknowledgements: Readonly<Record<string, Acknowledgement>> }
  | { readonly kind: 'answer'; readonly answer: CoordinatorAnswer }
  /** Nothing more will come of this. If the transaction has not ended, recovery has to take it. */
  | { readonly kind: 'forget' };

export interface CoordinatorDecision {
  readonly state: CoordinatorState;
  readonly effects: readonly CoordinatorEffect[];
}

export function beginTransaction(participants: readonly string[]): CoordinatorDecision {
  const branches = participants.map((name): BranchState => {
    return { name, state: 'preparing', position: undefined, acknowledgement: undefined };
  });
  const nothing = { asked: undefined, hasRow: false, isAnswered: false, reason: undefined };
  const state: CoordinatorState = { state: 'preparing', branches, ...nothing };
  if (participants.length === 0) return countVotes(state);
  return { state, effects: participants.map((participant) => ({ kind: 'prepare', participant })) };
}

export function decideCoordinator(state: CoordinatorState, input: CoordinatorInput): CoordinatorDecision {
  switch (input.kind) {
    case 'voted':
      return takeVote(state, input.participant, input.vote);
    case 'prepare-failed':
      return takeFailure(state, input.participant, input.error);
    case 'prepare-overdue':
      return giveUpWaiting(state, input.afterMs);
    case 'answer-overdue':
      return answerForNow(state);
    case 'decided':
      return state.state === 'in-doubt' ? obey(state, input.decision) : unchanged(state);
    case 'refused':
      return takeRefusal(state, input.error);
    case 'unknown':
      return takeUnknown(state, input.error);
    case 'notified':
      return markNotified(state, input.participant, input.acknowledgement);
    case 'notification-failed':
      return markNotified(state, input.participant, undefined);
  }
}

/** Log positions of the promises that may exist, by participant; empty text where a promise has no position. */
export function positionsOf({ branches }: Pick<CoordinatorState, 'branches'>): Readonly<Record<string, string>> {
  const positions: Record<string, string> = {};
  for (const branch of branches) if (mayHoldPromise(branch)) positions[branch.name] = branch.position ?? '';
  return positions;
}

function takeVote(state: CoordinatorState, participant: string, vote: Vote): CoordinatorDecision {
  if (!isAwaited(state, participant)) return unchanged(state);
  if (vote.vote === 'yes')
    return countVotes(withBranch(state, participant, { state: 'prepared', position: vote.position }));
  // A definite no is a better answer to the client than an earlier failure. The first of several counts.
  const isFirst = !state.branches.some((branch) => branch.state === 'refused');
  const refused = withBranch(state, participant, { state: 'refused' });
  return countVotes(isFirst ? { ...refused, reason: vote.reason } : refused);
}

function takeFailure(state: CoordinatorState, participant: string, error: Error): CoordinatorDecision {
  if (!isAwaited(state, participant)) return unchanged(state);
  const failed = withBranch(state, participant, { state: 'uncertain' });
  return countVotes({ ...failed, reason: state.reason ?? failureOf(participant, error) });
}

/** The transaction is certainly aborted, so the client knows the outcome even if the participant does not. */
function failureOf(participant: string, error: Error): Error {
  if (error instanceof AppError && error.retry !== 'unknown') return error;
  return notDone(`${participant} could not promise (${error.message})`, error);
}

function giveUpWaiting(state: CoordinatorState, afterMs: number): CoordinatorDecision {
  if (state.state !== 'preparing') return unchanged(state);
  const silent = state.branches.filter((branch) => branch.state === 'preparing').map(({ name }) => name);
  const branches = state.branches.map((branch): BranchState => {
    return branch.state === 'preparing' ? { ...branch, state: 'uncertain' } : branch;
  });
  const reason = state.reason ?? notDone(`${silent.join(', ')} did not answer within ${afterMs} ms`);
  return countVotes({ ...state, branches, reason });
}

function countVotes(state: CoordinatorState): CoordinatorDecision {
  const { branches } = state;
  if (branches.some((branch) => branch.state === 'preparing')) return unchanged(state);
  if (branches.every((branch) => branch.state === 'prepared')) {
    const next: CoordinatorState = { ...state, state: moved(state.state, 'all-promised'), asked: 'commit' };
    return { state: next, effects: [{ kind: 'ask-commit' }] };
  }
  if (branches.some(mayHoldPromise)) {
    return veto({ ...state, state: moved(state.state, 'some-promised') });
  }
  return end({ ...state, state: moved(state.state, 'none-promised') }, rejection(state));
}

/** The row comes first, because any other process that may decide must find it. */
function veto(state: CoordinatorState): CoordinatorDecision {
  return { state: { ...state, asked: 'abort' }, effects: [{ kind: 'ask-abort', reason: reasonOf(state) }] };
}

function obey(state: CoordinatorState, decision: Decision): CoordinatorDecision {
  const decided: CoordinatorState = { ...state, asked: undefined, hasRow: true };
  if (decision === 'committed') {
    return notifyAll({ ...decided, state: moved(state.state, 'row-committed'), reason: undefined });
  }
  const reason = state.reason ?? notDone('the transaction was in doubt for too long and was aborted');
  return notifyAll({ ...decided, state: moved(state.state, 'row-aborted'), reason });
}

function takeRefusal(state: CoordinatorState, error: Error): CoordinatorDecision {
  if (state.state !== 'in-doubt') return unchanged(state);
  return state.asked === 'commit' ? veto({ ...state, reason: error }) : presumeAbort(state);
}

/** `committed` was never asked for, or that request was refused for good, and no other process ever asks for it. */
function presumeAbort(state: CoordinatorState): CoordinatorDecision {
  return notifyAll({ ...state, asked: undefined, state: moved(state.state, 'presumed-aborted') });
}

function takeUnknown(state: CoordinatorState, error: Error): CoordinatorDecision {
  if (state.state !== 'in-doubt') return unchanged(state);
  if (state.asked === 'abort') return presumeAbort(state);
  return end(state, { kind: 'rejected', error });
}

function notifyAll(state: CoordinatorState): CoordinatorDecision {
  const decision: Decision = state.state === 'committing' ? 'committed' : 'aborted';
  const pending = state.branches.filter(isToBeNotified);
  if (pending.length === 0) return finish(state);
  return { state, effects: pending.map(({ name }) => ({ kind: 'notify', participant: name, decision })) };
}

function markNotified(
  state: CoordinatorState,
  participant: string,
  acknowledgement: Acknowledgement | undefined,
): CoordinatorDecision {
  const isNotifying = state.state === 'committing' || state.state === 'aborting';
  if (!isNotifying || !state.branches.some((each) => each.name === participant && isToBeNotified(each))) {
    return unchanged(state);
  }
  const done = state.state === 'committing' ? 'committed' : 'aborted';
  const next = withBranch(state, participant, acknowledgement ? { state: done, acknowledgement } : { state: 'untold' });
  return next.branches.some(isToBeNotified) ? unchanged(next) : finish(next);
}

function finish(state: CoordinatorState): CoordinatorDecision {
  const isCommit = state.state === 'committing';
  const isPending = state.branches.some((branch) => branch.state === 'untold');
  if (isPending) return end(state, isCommit ? { kind: 'pending' } : rejection(state));
  const acknowledgements: Record<string, Acknowledgement> = {};
  for (const { name, acknowledgement } of state.branches) if (acknowledgement) acknowledgements[name] = acknowledgement;
  const ended = end(
    { ...state, state: moved(state.state, 'carried-out') },
    isCommit ? { kind: 'committed', acknowledgements } : rejection(state),
  );
  if (!state.hasRow) return ended;
  return { state: ended.state, effects: [{ kind: 'complete', acknowledgements }, ...ended.effects] };
}

function answerForNow(state: CoordinatorState): CoordinatorDecision {
  const effects = answerOnce(state, currentAnswer(state));
  return { state: { ...state, isAnswered: true }, effects };
}

function currentAnswer(state: CoordinatorState): CoordinatorAnswer {
  if (state.state === 'committing') return { kind: 'pending' };
  const isCertainlyNotDone = state.asked === 'abort' || state.state === 'aborting';
  return isCertainlyNotDone ? rejection(state) : { kind: 'running' };
}

function end(state: CoordinatorState, answer: CoordinatorAnswer): CoordinatorDecision {
  const effects: CoordinatorEffect[] = [...answerOnce(state, answer), { kind: 'forget' }];
  return { state: { ...state, isAnswered: true }, effects };
}

function answerOnce({ isAnswered }: CoordinatorState, answer: CoordinatorAnswer): readonly CoordinatorEffect[] {
  return isAnswered ? [] : [{ kind: 'answer', answer }];
}

function rejection(state: CoordinatorState): CoordinatorAnswer {
  return { kind: 'rejected', error: reasonOf(state) };
}

function reasonOf({ reason }: CoordinatorState): Error {
  if (reason === undefined) throw new Error('An abort needs a reason.');
  return reason;
}

function notDone(why: string, cause?: Error): AppError {
  return new AppError('not-ready', `${why}; nothing was written`, { retry: 'safe', retryAfterSeconds: 1, cause });
}

function isAwaited({ state, branches }: CoordinatorState, participant: string): boolean {
  return state === 'preparing' && branches.some(({ name, state: its }) => name === participant && its === 'preparing');
}

function mayHoldPromise({ state }: BranchState): boolean {
  return state !== 'refused';
}

function isToBeNotified({ state }: BranchState): boolean {
  return state === 'prepared' || state === 'uncertain';
}

function withBranch(state: CoordinatorState, participant: string, news: Partial<BranchState>): CoordinatorState {
  const branches = state.branches.map((branch) => (branch.name === participant ? { ...branch, ...news } : branch));
  return { ...state, branches };
}

function unchanged(state: CoordinatorState): CoordinatorDecision {
  return { state, effects: [] };
}
