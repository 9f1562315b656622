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

/** Sagas that need not be compared again in the files of these participants. */
export interface ComparedSagas {
  readonly participants: readonly string[];
  /** All below this one, but for `unsettled`. */
  readonly below: number;
  /** Ascending. */
  readonly unsettled: readonly number[];
}

/** Sagas below `below` are passed over. */
export function allBelow(below: number, files: readonly ComparedFile[]): ComparedSagas {
  return { participants: files.map(({ participant }) => participant), below, unsettled: [] };
}

/**
 * Compares the rows that no file has pruned, before any event is delivered: the first 100 that a file lacks, lowest saga first.
 * Empty when none of the files is an older copy. Awaits `pause` between two pieces of work. Sagas that are `compared` are passed over.
 */
export async function findMissingRows(
  definition: SagaDefinition,
  files: readonly ComparedFile[],
  pause: () => Promise<void>,
  compared?: ComparedSagas,
): Promise<readonly MissingRow[]> {
  const behind = filesBehind(definition, files);
  if (behind.length > 0) return behind;
  const isOfThese = files.every(({ participant }) => compared?.participants.includes(participant));
  const { below, unsettled } = compared !== undefined && isOfThese ? compared : allBelow(0, files);
  const missing: MissingRow[] = [];
  const end = endOf(files);
  const kept = keptFrom(files);
  const pieces = unsettled.filter((saga) => saga >= kept).map((saga) => [saga, saga + 1] as const);
  for (let from = Math.max(below, kept); from < end; from += SAGAS_AT_ONCE) pieces.push([from, from + SAGAS_AT_ONCE]);
  for (const [from, to] of pieces) {
    for (const [saga, rows] of sagasBetween(files, from, to)) {
      for (const one of missingSteps(definition, rows)) missing.push({ saga, ...one });
    }
    if (missing.length >= MAX_REPORTED) return missing.slice(0, MAX_REPORTED);
    await pause();
  }
  return missing;
}

/** One more than the highest saga. */
export function endOf(files: readonly ComparedFile[]): number {
  return Math.max(...files.map(({ highestNumber }) => highestNumber)) + 1;
}

/** The lowest saga that no file has pruned. */
export function keptFrom(files: readonly ComparedFile[]): number {
  return Math.max(0, ...files.map(({ prunedBelow }) => prunedBelow));
}

/** The rows of each saga that has some, ascending. */
export function sagasBetween(
  files: readonly ComparedFile[],
  from: number,
  to: number,
): readonly (readonly [saga: number, rows: readonly ComparedRow[]])[] {
  const rows = files.flatMap((file) => file.rowsBetween(from, to));
  return [...Map.groupBy(rows, ({ number }) => number)].sort(([left], [right]) => left - right);
}
