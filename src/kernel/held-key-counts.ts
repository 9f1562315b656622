import type { HeldKeys } from './operation.js';

const SECOND_MS = 1_000;

/** How many keys each owner has from each second. */
export class HeldKeyCounts implements Iterable<HeldKeys> {
  private owners = new Map<string, Map<number, number>>();

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

  /** The time is that of the start of the second. */
  *[Symbol.iterator](): Generator<HeldKeys, void, undefined> {
    for (const [owner, seconds] of this.owners) {
      for (const [second, count] of seconds) yield { owner, atMs: second * SECOND_MS, count };
    }
  }
}
