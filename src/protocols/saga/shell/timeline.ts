import { START } from '../core/definition.js';
import type { SagaFile, StepRecord } from '../ports.js';

/** A step row, with the participant that holds it. */
export type TimelineStep = StepRecord & { readonly by: string };

/** All rows of the saga in the order in which its steps were done; at the end those that no other row led to. */
export function timelineOf(files: readonly SagaFile[], number: number): readonly TimelineStep[] {
  const rows = files.flatMap((file) => file.recordsOf(number).map((record) => ({ ...record, by: file.participant })));
  const inOrder = rows.filter(({ step }) => step === START);
  for (let last = inOrder[0]; last !== undefined;) {
    const { event } = last;
    last = rows.find((row) => row.eventIn === event && !inOrder.includes(row));
    if (last !== undefined) inOrder.push(last);
  }
  return [...inOrder, ...rows.filter((row) => !inOrder.includes(row)).sort((left, right) => left.atMs - right.atMs)];
}
