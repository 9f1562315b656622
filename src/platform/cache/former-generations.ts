import type { Timers } from '../../kernel/index.js';
import type { CacheGeneration, SharedCacheTier } from './cache-tier.js';
import { groupOf, type VersionedSource } from './generation-cache.js';

const SOON_MS = 50;
const LATER_MS = 500;
/** Soon after a write, and once more for an entry whose loader ended before it could remove the entry itself. */
const PASSES_PER_WRITE = 2;

interface FormerGenerationsOptions {
  readonly tables: readonly string[];
  readonly tier: SharedCacheTier;
  readonly source: Pick<VersionedSource, 'currentVersion'>;
  /** Incarnations of the database that have ended, as in `TableVersion`. */
  readonly formerIncarnations: readonly string[];
  readonly timers: Timers;
}

/**
 * Removes entries of former generations and incarnations from a shared tier, in the process that writes. No read depends on that: it
 * frees memory, and shows people that a write clears the cache. It runs beside the writes, at most some times a second however many
 * there are, and repeats what failed.
 */
export class FormerGenerations {
  private passesLeft = 0;
  private cancel: (() => void) | undefined;
  private isClosed = false;
  private former: readonly CacheGeneration[];

  constructor(private readonly options: FormerGenerationsOptions) {
    this.former = options.formerIncarnations.flatMap((incarnation) =>
      options.tables.map((table) => ({ group: groupOf(table, { incarnation }), generation: Number.MAX_SAFE_INTEGER })),
    );
    if (this.former.length > 0) this.noticeCommit();
  }

  /** Call it after each commit. */
  noticeCommit(): void {
    this.passesLeft = PASSES_PER_WRITE;
    this.arm(SOON_MS);
  }

  close(): void {
    this.isClosed = true;
    this.cancel?.();
  }

  private arm(delayMs: number): void {
    if (this.isClosed) return;
    this.cancel ??= this.options.timers.after(delayMs, () => void this.pass());
  }

  private async pass(): Promise<void> {
    this.passesLeft -= 1;
    const isDone = await this.removeAll().catch(() => false);
    this.cancel = undefined;
    if (!isDone) this.passesLeft = Math.max(1, this.passesLeft);
    if (this.passesLeft > 0) this.arm(LATER_MS);
  }

  /** False when some may be left. */
  private async removeAll(): Promise<boolean> {
    const { tables, source } = this.options;
    const current = tables.map((table) => {
      const version = source.currentVersion(table);
      return { group: groupOf(table, version), generation: version.generation };
    });
    const [ofCurrent, ofFormer] = await Promise.all([this.remove(current), this.remove(this.former)]);
    this.former = ofFormer;
    return ofCurrent.length === 0 && ofFormer.length === 0;
  }

  /** Resolves to those of which some may be left. */
  private async remove(generations: readonly CacheGeneration[]): Promise<readonly CacheGeneration[]> {
    const { tier } = this.options;
    const results = await Promise.allSettled(generations.map((generation) => tier.removeBefore(generation)));
    return generations.filter((_, index) => results[index]?.status === 'rejected');
  }
}
