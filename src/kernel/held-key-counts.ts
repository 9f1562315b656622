import type { HeldKeys } from './operation.js';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const LOOKED_AT_PER_STEP = 10_000;

/** How many keys each owner has from each second. */
export class HeldKeyCounts implements Iterable<HeldKeys> {
  private owners = new Map<string, Map<number, number>>();
  private forgottenToMs = -Infinity;

  /** Gives the counts away, by owner, then by second since the Unix epoch. Nothing is counted afterwards. */
  handOver(): ReadonlyMap<string, Map<number, number>> {
    const { owners } = this;
    this.owners = new Map();
    return owners;
  }

  /** `count` may be negative. */
  add(owner: string, atMs: number, count: number): void {
    const seconds = this.owners.get(owner) ?? new Map<number, number>();
    this.owners.set(owner, seconds);
    const second = Math.floor(atMs / SECOND_MS);
    const left = (seconds.get(second) ?? 0) + count;
    if (left !== 0) seconds.set(second, left);
    else if (seconds.delete(second) && seconds.size === 0) this.owners.delete(owner);
  }

  /** Forgets the counts of seconds that were over at `atMs`, in short steps. Looks at all counts, so only once for an hour of `atMs`. */
  *forgetBefore(atMs: number): Generator<void, void, undefined> {
    if (atMs < this.forgottenToMs + HOUR_MS) return;
    this.forgottenToMs = atMs;
    let lookedAt = 0;
    for (const [owner, seconds] of this.owners) {
      for (const second of seconds.keys()) {
        if ((second + 1) * SECOND_MS <= atMs) seconds.delete(second);
        lookedAt += 1;
        if (lookedAt % LOOKED_AT_PER_STEP === 0) yield;
      }
      if (seconds.size === 0) this.owners.delete(owner);
    }
  }

  /** The time is that of the start of the second. */
  *[Symbol.iterator](): Generator<HeldKeys, void, undefined> {
    for (const [owner, seconds] of this.owners) {
      for (const [second, count] of seconds) yield { owner, atMs: second * SECOND_MS, count };
    }
  }
}
