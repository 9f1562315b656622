import type { ReplicaLink } from './replica-link.js';

/** Asks all replicas. Resolves with answers and errors by name, and with a sorted line for each replica that did not answer. */
export async function askAll<Answer>(
  links: readonly ReplicaLink[],
  question: (link: ReplicaLink) => Promise<Answer>,
): Promise<{
  readonly answers: Readonly<Record<string, Answer>>;
  readonly errors: Readonly<Record<string, string>>;
  readonly silent: readonly string[];
}> {
  const answers: Record<string, Answer> = {};
  const errors: Record<string, string> = {};
  await Promise.all(
    links.map(async (link) => {
      try {
        answers[link.name] = await question(link);
      } catch (error) {
        errors[link.name] = (error as Error).message;
      }
    }),
  );
  const silent = Object.entries(errors).map(([name, message]) => `${name}: ${message}`);
  return { answers, errors, silent: silent.sort() };
}
