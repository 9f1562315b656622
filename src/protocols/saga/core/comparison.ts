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

/** Of the sagas up to this one, which others have pruned, the file lacks some or their ends. */
export interface MissingPoint extends MissingStep {
  readonly saga: number;
}

/** How far the rows of one file reach. */
export interface FilePoints {
  readonly participant: string;
  /** The rows of sagas with a lower number may be gone: these sagas have ended. */
  readonly prunedBelow: number;
  /** The highest saga number in it; 0 when there is none. */
  readonly highestNumber: number;
  /** Only read of the participant that starts sagas: below it all files have pruned their rows. */
  readonly confirmedBelow: number;
}

/**
 * The files that lack sagas which are pruned elsewhere, where no row can prove it: the file that starts sagas prunes first, and no other
 * one falls behind a point that all have confirmed, or has never heard of the last saga that was pruned.
 */
export function filesBehind(definition: SagaDefinition, files: readonly FilePoints[]): readonly MissingPoint[] {
  const { start } = definition;
  const starter = files.find(({ participant }) => participant === start.by);
  if (starter === undefined) return [];
  const first = definition.stepOn(start.event)?.by;
  return files.flatMap(({ participant, prunedBelow, highestNumber }): readonly MissingPoint[] => {
    if (starter.prunedBelow < prunedBelow) return lacking(start.by, prunedBelow, participant);
    if (prunedBelow < starter.confirmedBelow) return lacking(participant, starter.confirmedBelow, start.by);
    // Each saga that has ended has a row of the first participant.
    const isUnknown = participant === first && Math.max(prunedBelow, highestNumber + 1) < starter.prunedBelow;
    return isUnknown ? lacking(participant, starter.prunedBelow, start.by) : [];
  });
}

function lacking(by: string, below: number, provedBy: string): readonly MissingPoint[] {
  return [{ saga: below - 1, by, lacks: 'the end', provedBy: `the pruning of ${provedBy}` }];
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
