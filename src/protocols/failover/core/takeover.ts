/** Measures how one active follows another: when its end was known, when the next one served, when a standby waited again. */

export interface Takeover {
  /** The name of the process that was active. */
  readonly of: string;
  /** `hung`: it was killed because it did not echo. */
  readonly cause: 'died' | 'hung';
  /** Its last sign of life, on the monitor's clock. */
  readonly lastEchoAtMs: number;
  readonly knownAtMs: number;
  /** The next active; undefined while none serves. */
  readonly by: string | undefined;
  readonly servedAtMs: number | undefined;
  /** When the next failure had a standby again. */
  readonly restoredAtMs: number | undefined;
}

export interface TakeoverState {
  /** The name of the process that serves as the active. */
  readonly active: string | undefined;
  readonly underWay: Takeover | undefined;
  /** The ended ones, the latest last. */
  readonly takeovers: readonly Takeover[];
}

type Change = Pick<TakeoverState, 'active' | 'underWay' | 'takeovers'> & {
  /** There is news of this one. */
  readonly takeover?: Takeover;
};

const KEPT = 50;

/** From the last sign of life to the moment at which the end was known. */
export function detectionMs({ lastEchoAtMs, knownAtMs }: Takeover): number {
  return knownAtMs - lastEchoAtMs;
}

/** From there to the moment at which the next active served. */
export function takeoverMs({ knownAtMs, servedAtMs }: Takeover): number | undefined {
  return servedAtMs === undefined ? undefined : servedAtMs - knownAtMs;
}

/** From there to the moment at which a standby waited again. */
export function recoveryMs({ servedAtMs, restoredAtMs }: Takeover): number | undefined {
  return servedAtMs === undefined || restoredAtMs === undefined ? undefined : restoredAtMs - servedAtMs;
}

export function beginTakeover(
  state: TakeoverState,
  about: Pick<Takeover, 'of' | 'cause' | 'lastEchoAtMs' | 'knownAtMs'>,
): Change {
  const { underWay, takeovers } = state;
  const begun: Takeover = { ...about, by: undefined, servedAtMs: undefined, restoredAtMs: undefined };
  // The next active died before a standby waited again.
  return { active: undefined, underWay: begun, takeovers: underWay ? kept(takeovers, underWay) : takeovers };
}

/** `isWhole`: all other apps wait. */
export function withActive(
  { active, underWay, takeovers }: TakeoverState,
  { name, isWhole, atMs }: { readonly name: string; readonly isWhole: boolean; readonly atMs: number },
): Change {
  if (active === name || !underWay) return ended({ active: name, underWay, takeovers }, isWhole, atMs);
  const served = { ...underWay, by: name, servedAtMs: atMs };
  return { ...ended({ active: name, underWay: served, takeovers }, isWhole, atMs), takeover: { ...served } };
}

export function endTakeover(
  state: TakeoverState,
  { isWhole, atMs }: { readonly isWhole: boolean; readonly atMs: number },
): Change {
  return ended(state, isWhole && state.active !== undefined, atMs);
}

function ended({ active, underWay, takeovers }: TakeoverState, isWhole: boolean, atMs: number): Change {
  if (!underWay || !isWhole || underWay.servedAtMs === undefined) return { active, underWay, takeovers };
  const restored = { ...underWay, restoredAtMs: atMs };
  return { active, underWay: undefined, takeovers: kept(takeovers, restored), takeover: restored };
}

function kept(takeovers: readonly Takeover[], takeover: Takeover): readonly Takeover[] {
  return [...takeovers, takeover].slice(-KEPT);
}
