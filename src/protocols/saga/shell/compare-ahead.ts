import { missingSteps } from '../core/comparison.js';
import type { SagaDefinition } from '../core/definition.js';
import {
  allBelow,
  type ComparedFile,
  type ComparedRow,
  type ComparedSagas,
  endOf,
  keptFrom,
  sagasBetween,
} from './compare-files.js';

const SAGAS_AT_ONCE = 500;
/** Parked sagas are few. With more, the next ones are not compared ahead. */
const MOST_UNSETTLED = 1_000;

/**
 * Compares the sagas of files that another process writes, so that the next start need not: those that have settled in all files.
 *
 * Invariant: no row of a settled saga lacks another, none waits for delivery, and one of them ends the saga. So no row of it will ever
 * come or change, and whenever the three files were read, the comparison of a later moment gives the same.
 */
export class SagasAhead {
  private below = 0;
  private unsettled: readonly number[] = [];

  constructor(
    private readonly definition: SagaDefinition,
    private readonly files: readonly ComparedFile[],
  ) {}

  get compared(): ComparedSagas {
    return { ...allBelow(this.below, this.files), unsettled: this.unsettled };
  }

  /** Compares in short steps what has come or was unsettled. */
  *compare(): Generator<void, void, undefined> {
    // A saga that begins later is above.
    const end = endOf(this.files);
    this.unsettled = this.unsettled.filter((saga) => saga >= keptFrom(this.files) && !this.isSettled(saga));
    yield;
    for (let from = Math.max(this.below, keptFrom(this.files)); from < end; from = this.below) {
      if (this.unsettled.length > MOST_UNSETTLED) return;
      const to = Math.min(end, from + SAGAS_AT_ONCE);
      const found = sagasBetween(this.files, from, to).flatMap(([saga, rows]) => (this.areSettled(rows) ? [] : [saga]));
      this.unsettled = [...this.unsettled, ...found];
      this.below = to;
      yield;
    }
  }

  private isSettled(saga: number): boolean {
    return sagasBetween(this.files, saga, saga + 1).every(([, rows]) => this.areSettled(rows));
  }

  private areSettled(rows: readonly ComparedRow[]): boolean {
    const isOpen = rows.some(({ delivery }) => delivery === 'pending' || delivery === 'parked');
    const hasEnded = rows.some(({ delivery }) => delivery === 'end' || delivery === 'superseded');
    return hasEnded && !isOpen && missingSteps(this.definition, rows).length === 0;
  }
}
