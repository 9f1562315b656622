import { firstSeqOf, incarnationOf } from './segment.js';

/**
 * A later incarnation continues from a record of an earlier one's segment. Whatever the earlier one has written after that record,
 * or begins later, is dead: nobody was told of it, because it looks for later incarnations before it acknowledges.
 */

/** The segments among the names in a directory, in the order of their incarnations, oldest first. */
export function segmentsAmong(names: readonly string[]): readonly string[] {
  return names
    .filter((name) => firstSeqOf(name) !== undefined)
    .sort((a, b) => incarnationOf(a) - incarnationOf(b) || firstOf(a) - firstOf(b));
}

/** Whether record `seq` of a file of that incarnation is dead, as the names of the segments show. */
export function isDead(seq: number, incarnation: number, segments: readonly string[]): boolean {
  return segments.some((name) => incarnationOf(name) > incarnation && firstOf(name) <= seq);
}

/** The segments that hold the history, oldest first. */
export function livingAmong(segments: readonly string[]): readonly string[] {
  return segmentsAmong(segments).filter((name) => !isDead(firstOf(name), incarnationOf(name), segments));
}

/** The last record of `segment` that belongs to the history, as far as the name of its successor tells. */
export function lastLivingSeq(segment: string, successor: string | undefined): number {
  const isContinuedElsewhere = successor !== undefined && incarnationOf(successor) > incarnationOf(segment);
  return isContinuedElsewhere ? firstOf(successor) - 1 : Infinity;
}

/** Higher than that of every segment. */
export function nextIncarnation(segments: readonly string[]): number {
  return Math.max(0, ...segments.map(incarnationOf)) + 1;
}

function firstOf(segment: string): number {
  return firstSeqOf(segment) ?? Infinity;
}
