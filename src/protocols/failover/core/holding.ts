/**
 * What the gateway does with one request.
 *
 * Invariant: a request is sent again only while no byte of an answer has gone to its client, and a write only with the key of its
 * first sending, so that it takes effect once. A client is told "nothing was done" only when no process can have done it.
 */

export interface HoldingLimits {
  /** How long a request waits in all while no process is active. */
  readonly holdMs: number;
  /** How long a request waits in all for active processes: for a connection to one and for its answer. */
  readonly activeMs: number;
}

export interface HoldingRequest {
  /** The Idempotency-Key of a write, the client's or an added one. Undefined for a read. */
  readonly key: string | undefined;
}

interface Waiting {
  /** `held`: no process is active. `forwarded`: an active process has it, or it waits for a connection to that process. */
  readonly phase: 'held' | 'forwarded';
  readonly key: string | undefined;
  readonly sinceMs: number;
  /** Time spent in earlier phases. */
  readonly heldMs: number;
  readonly activeMs: number;
  /** The process that got it last, or has it. */
  readonly process: number | undefined;
  /** How often this process, which lives, has lost it. */
  readonly losses: number;
  /** Bytes of the request may have reached the process that has it. */
  readonly isSent: boolean;
  /** A process that had it earlier may have done it. */
  readonly mayBeDone: boolean;
}

/** `answering`: bytes of the answer have gone to the client. */
export type Holding = Waiting | { readonly phase: 'answering' } | { readonly phase: 'over' };

export type HoldingInput =
  /** `process` identifies one incarnation, which is active. */
  | { readonly type: 'active'; readonly process: number; readonly nowMs: number }
  | { readonly type: 'sent' }
  /** The connection broke or was never made, or the process became inactive without telling the outcome. */
  | { readonly type: 'lost'; readonly nowMs: number }
  /** The process says that it did nothing, because it is not active. */
  | { readonly type: 'not-active'; readonly nowMs: number }
  /** The next bytes go to the client, and more may follow. */
  | { readonly type: 'answer-begins' }
  /** The whole answer has arrived and goes to the client. */
  | { readonly type: 'answered' }
  | { readonly type: 'client-gone' }
  | { readonly type: 'time'; readonly nowMs: number }
  /** The gateway ends. */
  | { readonly type: 'stop' };

export type HoldingEffect =
  /** Send the request to the process, with the key if there is one. */
  | { readonly type: 'forward'; readonly key: string | undefined }
  /** End the exchange with the process that has the request. */
  | { readonly type: 'abort' }
  /** Answer that nothing was done. */
  | { readonly type: 'refuse'; readonly why: Ending }
  /** Answer that the outcome is not known, with the key that tells it. */
  | { readonly type: 'tell-unknown'; readonly why: Ending; readonly key: string }
  /** End the connection of the client: the rest of its answer will not come. */
  | { readonly type: 'cut-off' };

/** `held`: no process was active for too long. `slow`: active processes took too long. `losing`: one loses it again and again. */
export type Ending = 'held' | 'slow' | 'losing' | 'stopping';

export interface HoldingDecision {
  readonly holding: Holding;
  readonly effects: readonly HoldingEffect[];
}

/** A process that lives and breaks the connection so often is not asked again. */
const MAX_LOSSES = 3;

const OVER: Holding = { phase: 'over' };
const NOTHING: readonly HoldingEffect[] = [];

/** A request that has arrived whole. It is held until `active`. */
export function arrived({ key }: HoldingRequest, nowMs: number): Holding {
  const spent = { heldMs: 0, activeMs: 0, process: undefined, losses: 0, isSent: false, mayBeDone: false };
  return { phase: 'held', key, sinceMs: nowMs, ...spent };
}

export function decide(holding: Holding, input: HoldingInput, limits: HoldingLimits): HoldingDecision {
  if (holding.phase === 'over') return { holding, effects: NOTHING };
  if (holding.phase === 'answering') return whileAnswering(holding, input);
  switch (input.type) {
    case 'active':
      return holding.phase === 'held' ? forwarded(holding, input) : { holding, effects: NOTHING };
    case 'sent':
      return { holding: { ...holding, isSent: true }, effects: NOTHING };
    case 'lost':
      return holding.phase === 'forwarded' ? afterLoss(holding, input.nowMs) : { holding, effects: NOTHING };
    case 'not-active':
      return { holding: held(holding, input.nowMs, holding.mayBeDone), effects: NOTHING };
    case 'answer-begins':
      return { holding: { phase: 'answering' }, effects: NOTHING };
    case 'answered':
      return { holding: OVER, effects: NOTHING };
    case 'client-gone':
      return { holding: OVER, effects: abortOf(holding) };
    case 'time':
      return input.nowMs >= deadlineOf(holding, limits)
        ? ended(holding, holding.phase === 'held' ? 'held' : 'slow')
        : { holding, effects: NOTHING };
    case 'stop':
      return ended(holding, 'stopping');
  }
}

/** When `time` ends a request that waits; only the time of its present phase counts up to then. */
export function deadlineOf(holding: Holding, { holdMs, activeMs }: HoldingLimits): number {
  if (holding.phase === 'held') return holding.sinceMs + holdMs - holding.heldMs;
  return holding.phase === 'forwarded' ? holding.sinceMs + activeMs - holding.activeMs : Infinity;
}

function whileAnswering(holding: Holding, input: HoldingInput): HoldingDecision {
  switch (input.type) {
    case 'answered':
      return { holding: OVER, effects: NOTHING };
    case 'lost':
      return { holding: OVER, effects: [{ type: 'cut-off' }] };
    case 'client-gone':
      return { holding: OVER, effects: [{ type: 'abort' }] };
    case 'stop':
      return { holding: OVER, effects: [{ type: 'abort' }, { type: 'cut-off' }] };
    case 'active':
    case 'sent':
    case 'not-active':
    case 'answer-begins':
    case 'time':
      return { holding, effects: NOTHING };
  }
}

function forwarded(
  waiting: Waiting,
  { process, nowMs }: { readonly process: number; readonly nowMs: number },
): HoldingDecision {
  const losses = waiting.process === process ? waiting.losses : 0;
  if (losses >= MAX_LOSSES) return ended(waiting, 'losing');
  const heldMs = waiting.heldMs + nowMs - waiting.sinceMs;
  return {
    holding: { ...waiting, phase: 'forwarded', sinceMs: nowMs, heldMs, process, losses, isSent: false },
    effects: [{ type: 'forward', key: waiting.key }],
  };
}

function afterLoss(waiting: Waiting, nowMs: number): HoldingDecision {
  const mayBeDone = waiting.mayBeDone || (waiting.isSent && waiting.key !== undefined);
  return { holding: { ...held(waiting, nowMs, mayBeDone), losses: waiting.losses + 1 }, effects: NOTHING };
}

function held(waiting: Waiting, nowMs: number, mayBeDone: boolean): Waiting {
  const spentMs = nowMs - waiting.sinceMs;
  const spent =
    waiting.phase === 'held' ? { heldMs: waiting.heldMs + spentMs } : { activeMs: waiting.activeMs + spentMs };
  return { ...waiting, ...spent, phase: 'held', sinceMs: nowMs, isSent: false, mayBeDone };
}

function ended(waiting: Waiting, why: Ending): HoldingDecision {
  const { key, isSent, mayBeDone } = waiting;
  const isUnknown = key !== undefined && (mayBeDone || isSent);
  const answer: HoldingEffect = isUnknown ? { type: 'tell-unknown', why, key } : { type: 'refuse', why };
  return { holding: OVER, effects: [...abortOf(waiting), answer] };
}

function abortOf({ phase }: Waiting): readonly HoldingEffect[] {
  return phase === 'forwarded' ? [{ type: 'abort' }] : NOTHING;
}
