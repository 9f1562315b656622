/**
 * How a participant reacts to an event: from the rows that it holds of the saga, and nothing else.
 *
 * Invariant: a step has its effect at most once; a step whose undo came first never has one; an undo takes back only what was done.
 */
import type { SagaData, SagaEvent, StepOutcome } from '../ports.js';
import type { SagaDefinition, SagaStep } from './definition.js';

/** What a step row says, as far as the decision needs it. */
export interface KnownStep {
  readonly step: string;
  readonly sagaId: string;
  readonly event: string;
}

/** The event that a step row tells. */
export interface Told {
  readonly event: string;
  readonly data: SagaData;
  readonly set?: number;
}

export type ReactionEffect<Row extends KnownStep> =
  /** The step has its row: the same event again, and no effect. */
  | { readonly type: 'repeat'; readonly row: Row }
  /** Run the step's work, and write its row in the same commit. */
  | { readonly type: 'run' }
  /** Write the row alone: there is nothing to take back, or the undo came first and this row is refused. */
  | { readonly type: 'record'; readonly told: Told }
  /** The rows belong to another saga that had the same number. */
  | { readonly type: 'foreign'; readonly sagaId: string };

/** `rows`: all rows that the participant of `step` holds of this number. */
export function decideReaction<Row extends KnownStep>(
  definition: SagaDefinition,
  step: SagaStep,
  rows: readonly Row[],
  { saga, data }: SagaEvent,
): ReactionEffect<Row> {
  const foreign = rows.find(({ sagaId }) => sagaId !== saga.id);
  if (foreign !== undefined) return { type: 'foreign', sagaId: foreign.sagaId };
  const own = rows.find((row) => row.step === step.step);
  if (own !== undefined) return { type: 'repeat', row: own };
  if (step.refused !== undefined && rows.some((row) => row.step === step.undo)) {
    return { type: 'record', told: { event: step.refused, data: { ...data, reason: UNDONE } } };
  }
  const undoes = definition.undoneBy(step.step);
  if (undoes !== undefined && !isDone(undoes, rows)) return { type: 'record', told: { event: step.done, data } };
  return { type: 'run' };
}

/** The reason of a step that is refused because its undo came first. */
export const UNDONE = 'undone';

function isDone({ step, done }: SagaStep, rows: readonly KnownStep[]): boolean {
  return rows.some((row) => row.step === step && row.event === done);
}

/** What the row of a step tells that has answered so to `data`. Throws when the table does not allow the answer. */
export function toldBy(
  step: SagaStep,
  data: SagaData,
  outcome: StepOutcome,
  isLastTry: boolean,
): Told | { readonly later: string } {
  if ('later' in outcome) {
    if (!isLastTry || !step.isRefusedWhenExhausted || step.refused === undefined) return outcome;
    return { event: step.refused, data: { ...data, reason: outcome.later } };
  }
  if (outcome.event === step.done || outcome.event === step.refused) return outcome;
  throw new Error(`${step.step} answered ${outcome.event}, which the table does not allow`);
}
