/**
 * The rows of all participants, compared when no step is under way.
 *
 * Invariant: a row that was led to by an event stands after the row that tells it, and a delivered event before the row of the step
 * that it leads to. A file that lacks such a row is an older copy than the others.
 */
import type { DeliveryMark } from '../ports.js';
import type { SagaDefinition } from './definition.js';

/** A step row, as far as it is compared. */
export interface ComparedStep {
  readonly sagaId: string;
  readonly by: string;
  readonly step: string;
  readonly eventIn: string | undefined;
  readonly event: string;
  readonly delivery: DeliveryMark;
}

export interface MissingStep {
  /** The participant whose file lacks the row. */
  readonly by: string;
  /** What the row would be: the name of its step, or the event that it would tell. */
  readonly lacks: string;
  /** The participant and the step whose row proves that it was there. */
  readonly provedBy: string;
}

/** Of one saga: all its rows in all files, of which none is pruned. */
export function missingSteps(definition: SagaDefinition, rows: readonly ComparedStep[]): readonly MissingStep[] {
  const missing: MissingStep[] = [];
  for (const row of rows) {
    const provedBy = `${row.step} of ${row.by}`;
    const { eventIn } = row;
    const others = rows.filter(({ sagaId }) => sagaId === row.sagaId);
    if (eventIn !== undefined && !others.some(({ event }) => event === eventIn)) {
      missing.push({ by: definition.tellerOf(eventIn), lacks: eventIn, provedBy });
    }
    const next = row.delivery === 'delivered' ? definition.stepOn(row.event) : undefined;
    if (next !== undefined && !others.some(({ step }) => step === next.step)) {
      missing.push({ by: next.by, lacks: next.step, provedBy });
    }
  }
  return missing;
}
