/**
 * How a saga ends of which a file has lost rows, because it was replaced by an older copy and a person accepts that.
 *
 * Invariant: after the pivot the saga is completed, before it the saga is taken back. What a participant has a row of, it really
 * finishes or undoes; a participant that has lost all its rows of the saga only gets the rows, without their effects.
 */
import type { SagaData } from '../ports.js';
import type { ComparedStep } from './comparison.js';
import { type SagaDefinition, type SagaStep, START } from './definition.js';

export interface LeftStep extends Pick<ComparedStep, 'by' | 'step' | 'eventIn' | 'event'> {
  readonly data: SagaData;
}

/** `record`: the row alone. `do`: the participant reacts to `eventIn`, and tells `event`. */
export interface EndingStep extends LeftStep {
  readonly type: 'record' | 'do';
}

/** `rows`: all that is left of one saga. `refusal` goes with the refusal of a saga that is taken back. In the order of the steps. */
export function stepsToEnd(
  definition: SagaDefinition,
  rows: readonly LeftStep[],
  refusal: SagaData,
): readonly EndingStep[] {
  const { start } = definition;
  const ending: EndingStep[] = [];
  const isPastPivot = rows.some((row) => isAtOrAfterPivot(definition, row));
  let data: SagaData = rows.find((row) => row.eventIn === start.event)?.data ?? rows[0]?.data ?? {};
  if (!rows.some(({ step }) => step === START)) {
    ending.push({ type: 'record', by: start.by, step: START, eventIn: undefined, event: start.event, data });
  }
  let eventIn = start.event;
  for (let step = definition.stepOn(eventIn); step !== undefined; step = definition.stepOn(eventIn)) {
    const { step: name, by } = step;
    const row = rows.find((one) => one.step === name);
    const event: string = row?.event ?? outcomeOf(step, rows, isPastPivot);
    if (row !== undefined) data = { ...data, ...row.data };
    else {
      const isLeft = step.refused === undefined && rows.some((one) => one.by === by);
      if (event === step.refused) data = { ...data, ...refusal };
      ending.push({ type: isLeft ? 'do' : 'record', by, step: name, eventIn, event, data });
    }
    eventIn = event;
  }
  return ending;
}

/** What a step without a row has told, as far as later rows show it; otherwise what harms nobody. */
function outcomeOf({ done, refused }: SagaStep, rows: readonly LeftStep[], isPastPivot: boolean): string {
  const isDone = isPastPivot || rows.some(({ eventIn }) => eventIn === done);
  return isDone ? done : (refused ?? done);
}

function isAtOrAfterPivot(definition: SagaDefinition, row: LeftStep): boolean {
  const pivot = definition.steps.find(({ isPivot }) => isPivot);
  for (let step = pivot; step !== undefined; step = definition.stepOn(step.done)) {
    if (row.step === step.step && row.event === step.done) return true;
  }
  return false;
}
