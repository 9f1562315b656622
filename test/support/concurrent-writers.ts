import type { SeededRandom } from './seeded-random.js';

/** Inserts the titles in one piece of work, which throws before the `failAt`-th (from 0) when that is given. */
export type WriteTitles = (titles: readonly string[], failAt: number | undefined) => Promise<unknown>;

export class PlannedFailure extends Error {}

export interface WriterHistory {
  readonly titles: readonly string[];
  readonly isAcknowledged: boolean;
}

const MAX_TITLES = 4;
const SHARE_THAT_FAILS = 0.3;

/** `count` writers at once, of which some fail in the middle of their work. Resolves with what each was told. */
export function runWriters(count: number, random: SeededRandom, write: WriteTitles): Promise<WriterHistory[]> {
  const writers = Array.from({ length: count }, async (_, writer) => {
    const length = 1 + random.below(MAX_TITLES);
    const titles = Array.from({ length }, (_title, index) => `writer ${String(writer)} title ${String(index)}`);
    const failAt = random.chance(SHARE_THAT_FAILS) ? random.below(length + 1) : undefined;
    try {
      await write(titles, failAt);
      return { titles, isAcknowledged: true };
    } catch {
      return { titles, isAcknowledged: false };
    }
  });
  return Promise.all(writers);
}

/** One sentence for each broken promise: what was acknowledged is there once, what failed is not there at all. */
export function auditWriters(history: readonly WriterHistory[], stored: readonly string[]): string[] {
  const copies = new Map<string, number>();
  for (const title of stored) copies.set(title, (copies.get(title) ?? 0) + 1);
  const broken = history.flatMap(({ titles, isAcknowledged }) =>
    titles.flatMap((title) => {
      const found = copies.get(title) ?? 0;
      copies.delete(title);
      if (isAcknowledged && found === 0) return [`${title} was acknowledged and is lost`];
      if (!isAcknowledged && found > 0) return [`${title} failed and is kept`];
      return found > 1 ? [`${title} is there ${String(found)} times`] : [];
    }),
  );
  return [...broken, ...[...copies.keys()].map((title) => `${title} was written by no one`)];
}
