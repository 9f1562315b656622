import { AppError } from '../../../kernel/index.js';
import { type Mismatch, mismatches, type MissingPromise, missingPromises, type StartState } from '../core/recovery.js';
import { AS_LONG_AS_IT_TAKES, type InTime } from './in-time.js';
import type { InDoubt, LastResource, Participant, TransactionId } from '../ports.js';

export type Stores = {
  readonly participants: readonly Participant<never>[];
  readonly lastResource: LastResource<never, unknown>;
};

export async function findInDoubt(
  { participants }: Stores,
  inTime: InTime = AS_LONG_AS_IT_TAKES,
): Promise<Readonly<Record<string, readonly InDoubt[]>>> {
  return byName(participants, (participant) => inTime(participant.name, participant.inDoubt()));
}

/** Asks only the participants that implement `carriedOut`. */
export async function findCarriedOut({ participants }: Stores): Promise<StartState['carriedOut']> {
  return byName(participants, async (participant) => (await participant.carriedOut?.()) ?? []);
}

/** Finds evidence that one store is an older copy. Call it before anything is begun; it changes nothing. */
export async function findMismatches(
  stores: Stores,
  inDoubt: StartState['inDoubt'],
  unmatched: ReadonlySet<TransactionId>,
): Promise<readonly Mismatch[]> {
  const carriedOut = await findCarriedOut(stores);
  const ids = Object.values(carriedOut).flatMap((transactions) => transactions.map(({ id }) => id));
  const rows = await stores.lastResource.decisions([...new Set(ids)]);
  const toBeFound = [
    ...(await stores.lastResource.incomplete()),
    ...((await stores.lastResource.lastCompleted?.()) ?? []),
  ];
  const participants = stores.participants.map(({ name }) => name);
  const state = { participants, inDoubt, carriedOut, rows, toBeFound, unmatched };
  return mismatches(state, await neverMade(stores, missingPromises(state)));
}

/** Rejects with `recovery-needed` and changes nothing when one store is an older copy. */
export async function assertConsistent(
  stores: Stores,
  inDoubt: StartState['inDoubt'],
  unmatched: ReadonlySet<TransactionId>,
): Promise<void> {
  const found = await findMismatches(stores, inDoubt, unmatched);
  if (found.length === 0) return;
  const lines = found.slice(0, MAX_LISTED).map(sentenceOf);
  if (found.length > MAX_LISTED) lines.push(`and ${found.length - MAX_LISTED} more`);
  throw new AppError(
    'recovery-needed',
    `The stores are at different points in time; one is an older copy: ${lines.join('; ')}.`,
    { retry: 'never' },
  );
}

const MAX_LISTED = 20;

async function neverMade(
  { participants }: Stores,
  missing: readonly MissingPromise[],
): Promise<readonly MissingPromise[]> {
  const isPossible = await Promise.all(
    missing.map(async ({ id, participant, position }) => {
      const asked = participants.find(({ name }) => name === participant);
      return position === '' ? true : ((await asked?.mayHavePrepared?.(id, position)) ?? true);
    }),
  );
  return missing.filter((_, index) => isPossible[index] === false);
}

function sentenceOf({ id, kind, participant, problem }: Mismatch): string {
  const transaction = `${kind} ${id}`;
  switch (problem) {
    case 'no-row':
      return `${participant} has committed ${transaction}, which the database does not know`;
    case 'other-decision':
      return `${participant} and the database have different decisions on ${transaction}`;
    case 'never-promised':
      return `the database has committed ${transaction}, which ${participant} does not know`;
    case 'no-participant':
      return `the database has committed ${transaction}, but there is no participant ${participant} to carry it out`;
  }
}

async function byName<T>(
  participants: Stores['participants'],
  ask: (participant: Participant<never>) => Promise<T>,
): Promise<Readonly<Record<string, T>>> {
  const answers = await Promise.all(participants.map(async (each) => [each.name, await ask(each)] as const));
  return Object.fromEntries(answers);
}
