import type { ReplicaLink } from './replica-link.js';

/** What each replica answered, by its name, and one line for each that did not. */
export async function askAll<Answer>(
  links: readonly ReplicaLink[],
  question: (link: ReplicaLink) => Promise<Answer>,
): Promise<{ readonly answers: Readonly<Record<string, Answer>>; readonly silent: readonly string[] }> {
  const answers: Record<string, Answer> = {};
  const silent: string[] = [];
  await Promise.all(
    links.map(async (link) => {
      try {
        answers[link.name] = await question(link);
      } catch (error) {
        silent.push(`${link.name}: ${(error as Error).message}`);
      }
    }),
  );
  return { answers, silent: silent.sort() };
}
