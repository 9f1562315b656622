import { type ComparedStep, filesBehind, type FilePoints, type MissingStep, missingSteps } from '../core/comparison.js';
import type { SagaDefinition } from '../core/definition.js';

export interface ComparedRow extends ComparedStep {
  readonly number: number;
}

/** What the comparison reads of one participant's file. */
export interface ComparedFile extends FilePoints {
  /** The rows of the sagas from `from` on and below `to`. */
  rowsBetween(from: number, to: number): readonly ComparedRow[];
}

export interface MissingRow extends MissingStep {
  readonly saga: number;
}

const SAGAS_AT_ONCE = 500;
const MAX_REPORTED = 100;

/**
 * Compares the rows that no file has pruned, before any event is delivered: the first 100 that a file lacks, lowest saga first.
 * Empty when none of the files is an older copy. Awaits `pause` between two pieces of work. Sagas below `lowest` are passed over.
 */
export async function findMissingRows(
  definition: SagaDefinition,
  files: readonly ComparedFile[],
  pause: () => Promise<void>,
  lowest = 0,
): Promise<readonly MissingRow[]> {
  const behind = filesBehind(definition, files);
  if (behind.length > 0) return behind;
  const missing: MissingRow[] = [];
  const end = Math.max(...files.map(({ highestNumber }) => highestNumber)) + 1;
  const kept = Math.max(lowest, ...files.map(({ prunedBelow }) => prunedBelow));
  for (let from = kept; from < end; from += SAGAS_AT_ONCE) {
    const sagas = new Map<number, ComparedRow[]>();
    for (const row of files.flatMap((file) => file.rowsBetween(from, from + SAGAS_AT_ONCE))) {
      const rows = sagas.get(row.number);
      if (rows) rows.push(row);
      else sagas.set(row.number, [row]);
    }
    for (const [saga, rows] of [...sagas].sort(([left], [right]) => left - right)) {
      for (const one of missingSteps(definition, rows)) missing.push({ saga, ...one });
    }
    if (missing.length >= MAX_REPORTED) return missing.slice(0, MAX_REPORTED);
    await pause();
  }
  return missing;
}
