import {
  decide,
  type Holding,
  type HoldingDecision,
  type HoldingInput,
  type HoldingLimits,
} from '../../../src/protocols/failover/index.js';

type Decide = typeof decide;

/** What a simulation runs: the real rules, or rules of which one is dropped. */
export interface Variant {
  readonly decide: Decide;
  readonly limits: HoldingLimits;
}

export const REAL: Variant = { decide, limits: { holdMs: 10_000, activeMs: 35_000 } };

type Change = (holding: Holding, input: HoldingInput, limits: HoldingLimits) => HoldingDecision;

const changed = (change: Change): Variant => ({ ...REAL, decide: change });
const nothing = (holding: Holding): HoldingDecision => ({ holding, effects: [] });

/** All time counts as held, whoever is active. */
function holdingAllAlong(holding: Holding): Holding {
  if (holding.phase !== 'held' && holding.phase !== 'forwarded') return holding;
  return { ...holding, phase: 'held', heldMs: holding.heldMs + holding.activeMs };
}

export const PLANTED: Readonly<Record<string, Variant>> = {
  'replay without a key': changed((holding, input, limits) => {
    const decision = decide(holding, input, limits);
    const isRepeat = holding.phase === 'held' && holding.process !== undefined;
    const keyless = decision.effects.map((effect) =>
      effect.type === 'forward' && isRepeat ? { ...effect, key: undefined } : effect,
    );
    return { ...decision, effects: keyless };
  }),
  'hold counts while active': changed((holding, input, limits) =>
    input.type === 'time' &&
    holding.phase !== 'over' &&
    decide(holdingAllAlong(holding), input, limits).effects.length > 0
      ? decide(holdingAllAlong(holding), input, limits)
      : decide(holding, input, limits),
  ),
  'what was lost counts as undone': changed((holding, input, limits) => {
    const { holding: next, effects } = decide(holding, input, limits);
    return { holding: 'mayBeDone' in next ? { ...next, mayBeDone: false } : next, effects };
  }),
  'repeat after the answer began': changed((holding, input, limits) =>
    input.type === 'answer-begins' ? nothing(holding) : decide(holding, input, limits),
  ),
  'forward for a client that is gone': changed((holding, input, limits) =>
    input.type === 'client-gone' ? nothing(holding) : decide(holding, input, limits),
  ),
  'wait longer than an added key lives': { ...REAL, limits: { holdMs: 118_000, activeMs: 35_000 } },
};
