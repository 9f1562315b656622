import type { RecoveryReport } from '../../../src/protocols/two-phase-commit/index.js';

/** Counts the events of a run: a simulation that has become tame lacks some of them. */
export class Coverage {
  readonly counts = new Map<string, number>();

  note(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  noteRecovery({ committed, aborted, unmatched, failed }: RecoveryReport): void {
    for (const [what, found] of Object.entries({ committed, aborted, unmatched, failed })) {
      if (found.length > 0) this.note(`recovery: ${what}`);
    }
  }

  add(other: Coverage): void {
    for (const [what, count] of other.counts) this.counts.set(what, (this.counts.get(what) ?? 0) + count);
  }
}
