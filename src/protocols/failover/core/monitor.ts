import type { Echo } from '../echo.js';
import { beginTakeover, endTakeover, type Takeover, type TakeoverState, withActive } from './takeover.js';

/**
 * Decides which process is dead, and which takeover that means. Pure: no process, clock or timer. Invariants: a process that echoes is
 * never killed, and neither is one whose pid, start time and lock were not found to agree after it fell silent; what a process is
 * waiting for (its disk, its replicas) makes it suspect and nothing else.
 *
 * Silence is counted in ticks, not read from a clock: a monitor that was held itself, or got no turn, has heard nobody meanwhile, and
 * nobody has died of that.
 */

/** `starting` is the first start of all, `restarting` each later one; `dead` lasts from the verdict to the end of the process. */
export type Health = 'starting' | 'healthy' | 'suspect' | 'dead' | 'restarting';

/** The silence after which a process is dead: once it has echoed, while it is opening, and before its first echo. */
export interface Patience {
  readonly deadAfterMs: number;
  readonly openingWithinMs: number;
  /** Doubles with each start in a row that did not get to an echo, so that a long recovery ends some time. */
  readonly startWithinMs: number;
}

export interface Rules {
  readonly patience: Patience;
  /** One of the processes of which one is active. */
  readonly isApp: boolean;
}

export interface Watched {
  readonly rules: Rules;
  readonly health: Health;
  /** Why it is not healthy. */
  readonly reason: string | undefined;
  /** Undefined while none runs. */
  readonly pid: number | undefined;
  readonly startedAtMs: number;
  readonly starts: number;
  /** Starts in a row that ended before an echo. */
  readonly vainStarts: number;
  readonly echo: Echo | undefined;
  readonly echoAtMs: number | undefined;
  readonly silentMs: number;
  /** What the process says it is waiting for. */
  readonly notReady: string | undefined;
  readonly check: 'none' | 'asked' | 'lock-was-free';
}

export interface MonitorState extends TakeoverState {
  readonly pingMs: number;
  readonly processes: Readonly<Record<string, Watched>>;
  readonly tickAtMs: number;
  readonly wasLate: boolean;
  /** A clean stop ends processes by itself. */
  readonly isStopping: boolean;
}

export type Verdict =
  /** Pid and start time are those of the process, and an active holds its lock. */
  | 'agrees'
  /** The process is the one that was started, and its lock is free or another's. */
  | 'lock-is-free'
  /** The system holds it until a disk has answered. A signal would not end it before, and its standby has the same disk. */
  | 'waits-for-disk'
  /** Agrees, and it computes or waits for a turn of the processor. */
  | 'is-busy'
  | 'gone';

/** An input about another pid than the running one comes too late, and changes nothing. */
export type MonitorNews =
  | { readonly kind: 'tick' }
  | { readonly kind: 'launched'; readonly name: string; readonly pid: number }
  | { readonly kind: 'echoed'; readonly name: string; readonly pid: number; readonly echo: Echo }
  /** `reason` undefined: it is ready. */
  | { readonly kind: 'readiness'; readonly name: string; readonly pid: number; readonly reason: string | undefined }
  | { readonly kind: 'checked'; readonly name: string; readonly pid: number; readonly verdict: Verdict }
  | { readonly kind: 'exited'; readonly name: string; readonly pid: number }
  | { readonly kind: 'stop-requested' };

/** `atMs`: a monotonic clock. */
export type MonitorInput = MonitorNews & { readonly atMs: number };

export type MonitorEffect =
  /** Compare pid, start time and, with `needsLock`, the holder of the lock; then give `checked`. */
  | { readonly kind: 'check'; readonly name: string; readonly pid: number; readonly needsLock: boolean }
  | { readonly kind: 'kill'; readonly name: string; readonly pid: number }
  | {
      readonly kind: 'changed';
      readonly name: string;
      readonly from: Health;
      readonly to: Health;
      readonly reason: string | undefined;
    }
  /** Comes when the next active serves, and once more when a standby waits again. */
  | { readonly kind: 'taken-over'; readonly takeover: Takeover };

export interface MonitorDecision {
  readonly state: MonitorState;
  readonly effects: readonly MonitorEffect[];
}

/** The reason of a death that nobody decided. */
export const ENDED = 'ended';
/** After so many pings without an echo a process is suspect. */
const SUSPECT_AFTER_PINGS = 2;
/** On a machine without a free processor everybody is late: a process that is busy has so many times its time. */
const BUSY_TIMES = 5;
/** A tick that comes later than that counts for one, and condemns nobody: the answers may be there, and not be heard yet. */
const LATE_AFTER_PINGS = 2;

export function begin(rules: Readonly<Record<string, Rules>>, pingMs: number, atMs: number): MonitorState {
  const processes = Object.entries(rules).map(([name, each]): [string, Watched] => [name, unstarted(each)]);
  return {
    ...{ pingMs, processes: Object.fromEntries(processes), tickAtMs: atMs, wasLate: false, isStopping: false },
    ...{ active: undefined, underWay: undefined, takeovers: [] },
  };
}

function unstarted(rules: Rules): Watched {
  return {
    ...{ rules, health: 'starting', reason: undefined, pid: undefined, startedAtMs: 0, starts: 0, vainStarts: 0 },
    ...{ echo: undefined, echoAtMs: undefined, silentMs: 0, notReady: undefined, check: 'none' },
  };
}

export function decide(state: MonitorState, input: MonitorInput): MonitorDecision {
  if (input.kind === 'stop-requested') return { state: { ...state, isStopping: true }, effects: [] };
  if (input.kind === 'tick') return tick(state, input.atMs);
  const watched = state.processes[input.name];
  if (!watched) return { state, effects: [] };
  if (input.kind === 'launched') return launch(state, input.name, watched, input);
  if (watched.pid !== input.pid) return { state, effects: [] };
  switch (input.kind) {
    case 'echoed':
      return hear(state, input.name, watched, input);
    case 'readiness':
      return judged(state, input.name, { ...watched, notReady: input.reason });
    case 'checked':
      return conclude(state, input.name, watched, input);
    case 'exited':
      return bury(state, input.name, watched, input.atMs);
  }
}

/** How long a process may be silent now. During a takeover a waiting app may become active and opening between two pings. */
export function patienceWith({ active }: Pick<MonitorState, 'active'>, { rules, echo, vainStarts }: Watched): number {
  const { deadAfterMs, openingWithinMs, startWithinMs } = rules.patience;
  if (!echo) return startWithinMs * 2 ** Math.min(vainStarts, MAX_DOUBLINGS);
  const mayBeOpening = echo.state === 'opening' || (rules.isApp && active === undefined);
  return mayBeOpening ? openingWithinMs : deadAfterMs;
}

const MAX_DOUBLINGS = 6;

function tick(state: MonitorState, atMs: number): MonitorDecision {
  const sinceMs = atMs - state.tickAtMs;
  const isLate = sinceMs > state.pingMs * LATE_AFTER_PINGS;
  const passedMs = isLate ? state.pingMs : sinceMs;
  // One that gets too little CPU for a whole row of ticks has to decide all the same.
  const mayCondemn = !isLate || state.wasLate;
  const ticked: MonitorDecision = { state: { ...state, tickAtMs: atMs, wasLate: isLate }, effects: [] };
  if (state.isStopping) return ticked;
  return Object.entries(state.processes).reduce<MonitorDecision>((decision, [name, watched]) => {
    const { pid } = watched;
    if (pid === undefined) return decision;
    const silent = { ...watched, silentMs: watched.silentMs + passedMs };
    const isDue = mayCondemn && silent.check !== 'asked' && silent.silentMs >= patienceWith(state, silent);
    const next = judged(decision.state, name, isDue ? { ...silent, check: 'asked' } : silent);
    const needsLock = silent.echo?.role === 'active' && silent.check !== 'lock-was-free';
    const check: readonly MonitorEffect[] = isDue ? [{ kind: 'check', name, pid, needsLock }] : [];
    return { state: next.state, effects: [...decision.effects, ...next.effects, ...check] };
  }, ticked);
}

function launch(
  state: MonitorState,
  name: string,
  watched: Watched,
  { pid, atMs }: Extract<MonitorInput, { kind: 'launched' }>,
): MonitorDecision {
  const { rules, starts, vainStarts } = watched;
  const next = { ...unstarted(rules), pid, startedAtMs: atMs, starts: starts + 1, vainStarts };
  return changed(state, name, watched, { ...next, health: starts === 0 ? 'starting' : 'restarting' });
}

function hear(
  state: MonitorState,
  name: string,
  watched: Watched,
  { echo, atMs }: Extract<MonitorInput, { kind: 'echoed' }>,
): MonitorDecision {
  // The verdict stands: it is killed until it is gone.
  if (watched.health === 'dead') return { state, effects: [] };
  const heard = { ...watched, echo, echoAtMs: atMs, silentMs: 0, vainStarts: 0, check: 'none' } as const;
  const decision = judged(state, name, heard);
  if (!watched.rules.isApp) return decision;
  const others = Object.entries(decision.state.processes).filter(([other, { rules }]) => rules.isApp && other !== name);
  const isWaiting = ({ echo: each, pid }: Watched): boolean => pid !== undefined && each?.state === 'waiting';
  const isWhole = others.every(([, other]) => isWaiting(other));
  const { takeover, ...takeovers } =
    echo.role === 'active' && echo.state === 'open' && !isSuperseded(state, name, echo)
      ? withActive(decision.state, { name, isWhole, atMs })
      : endTakeover(decision.state, {
          isWhole: isWaiting(heard) && others.every(([other, each]) => other === state.active || isWaiting(each)),
          atMs,
        });
  const told: readonly MonitorEffect[] = takeover ? [{ kind: 'taken-over', takeover }] : [];
  return { state: { ...decision.state, ...takeovers }, effects: [...decision.effects, ...told] };
}

/** Whether another process serves in a later epoch: this one was active before, and does not know it yet. */
function isSuperseded({ active, processes }: MonitorState, name: string, { epoch }: Echo): boolean {
  if (active === undefined || active === name) return false;
  return (processes[active]?.echo?.epoch ?? 0) > (epoch ?? 0);
}

/** Kills only what is still silent: the echo may have come while the check was under way. */
function conclude(
  state: MonitorState,
  name: string,
  watched: Watched,
  { pid, verdict, atMs }: Extract<MonitorInput, { kind: 'checked' }>,
): MonitorDecision {
  if (watched.check !== 'asked' || state.isStopping) return { state, effects: [] };
  if (verdict === 'gone') return { state: withProcess(state, name, { ...watched, check: 'none' }), effects: [] };
  if (verdict === 'waits-for-disk') {
    const slow = { ...watched, health: 'suspect', reason: 'waits for its disk', check: 'none', silentMs: 0 } as const;
    return changed(state, name, watched, slow);
  }
  if (verdict === 'is-busy' && watched.silentMs < patienceWith(state, watched) * BUSY_TIMES) {
    return { state: withProcess(state, name, { ...watched, check: 'none' }), effects: [] };
  }
  if (verdict === 'lock-is-free') {
    // It is ending, or it never was what it said. It hinders nobody, and gets the same time once more.
    return { state: withProcess(state, name, { ...watched, check: 'lock-was-free', silentMs: 0 }), effects: [] };
  }
  const reason = `did not echo for ${String(Math.round(watched.silentMs))} ms`;
  // Asked again after the same silence, in case that the system has not ended it by then.
  const dead = { ...watched, health: 'dead', reason, check: 'none', silentMs: 0 } as const;
  const { state: next, effects } = changed(state, name, watched, dead);
  return {
    state: withoutActive(next, name, watched, 'hung', atMs),
    effects: [...effects, { kind: 'kill', name, pid }],
  };
}

function bury(state: MonitorState, name: string, watched: Watched, atMs: number): MonitorDecision {
  const { rules, starts, vainStarts, echo, startedAtMs } = watched;
  const gone = { ...unstarted(rules), starts, startedAtMs, vainStarts: echo ? 0 : vainStarts + 1 };
  const asDead = { ...watched, health: 'dead', reason: ENDED } as const;
  const first = watched.health === 'dead' ? { state, effects: [] } : changed(state, name, watched, asDead);
  const then = changed(first.state, name, asDead, { ...gone, health: 'restarting' });
  return {
    state: withoutActive(then.state, name, watched, 'died', atMs),
    effects: [...first.effects, ...then.effects],
  };
}

function withoutActive(
  state: MonitorState,
  name: string,
  { echoAtMs }: Watched,
  cause: Takeover['cause'],
  atMs: number,
): MonitorState {
  if (state.active !== name || state.isStopping) return state;
  return { ...state, ...beginTakeover(state, { of: name, cause, lastEchoAtMs: echoAtMs ?? atMs, knownAtMs: atMs }) };
}

/** The health that follows from silence and readiness. */
function judged(state: MonitorState, name: string, watched: Watched): MonitorDecision {
  const { silentMs, notReady, echo, health } = watched;
  const before = state.processes[name] ?? watched;
  if (health === 'dead' || !echo) return changed(state, name, before, watched);
  if (silentMs >= state.pingMs * SUSPECT_AFTER_PINGS) {
    return changed(state, name, before, { ...watched, health: 'suspect', reason: 'does not echo' });
  }
  // Only an echo ends a suspicion.
  if (health === 'suspect' && silentMs > 0) return changed(state, name, before, watched);
  const next =
    notReady === undefined ? { health: 'healthy', reason: undefined } : { health: 'suspect', reason: notReady };
  return changed(state, name, before, { ...watched, ...next } as Watched);
}

function changed(state: MonitorState, name: string, before: Watched, after: Watched): MonitorDecision {
  const { health: from } = before;
  const { health: to, reason } = after;
  const effects: readonly MonitorEffect[] = from === to ? [] : [{ kind: 'changed', name, from, to, reason }];
  return { state: withProcess(state, name, after), effects };
}

function withProcess(state: MonitorState, name: string, watched: Watched): MonitorState {
  return { ...state, processes: { ...state.processes, [name]: watched } };
}
