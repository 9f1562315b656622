import type { Clock } from '../../../kernel/index.js';
import {
  type DecisionDetails,
  findCarriedOut,
  findInDoubt,
  findMismatches,
  type LastResource,
  type Mismatch,
  type Participant,
  type TransactionHead,
} from '../../../protocols/two-phase-commit/index.js';

export interface AcceptPorts {
  readonly participants: readonly Participant<never>[];
  readonly lastResource: LastResource<never, unknown>;
  readonly clock: Clock;
}

export interface Acceptance {
  /** Their rows say `committed` from now on. */
  readonly accepted: readonly TransactionHead[];
  /** What a row cannot mend. */
  readonly left: readonly Mismatch[];
}

/**
 * Writes the row of each transaction that a participant has committed and the database does not know of. Only before
 * anything is begun on these data. What was in the database of that transaction does not come back by it.
 */
export async function accept(ports: AcceptPorts, reason: string): Promise<Acceptance> {
  const found = await findMismatches(ports, await findInDoubt(ports), new Set());
  const missing = found.filter(({ problem }) => problem === 'no-row');
  const carriedOut = await findCarriedOut(ports);
  const accepted = new Map<string, DecisionDetails>();
  for (const { id, participant } of missing) {
    const head = carriedOut[participant]?.find((transaction) => transaction.id === id);
    if (head === undefined) throw new Error(`${participant} does not know ${id} any more`);
    const places = { ...accepted.get(id)?.places, [participant]: '' };
    accepted.set(id, detailsOf(head, places, ports.clock.nowMs(), reason));
  }
  for (const details of accepted.values()) await ports.lastResource.decide(details, 'committed');
  return { accepted: [...accepted.values()], left: found.filter(({ problem }) => problem !== 'no-row') };
}

function detailsOf(
  { id, kind, decidedBy, life }: TransactionHead,
  places: DecisionDetails['places'],
  nowMs: number,
  reason: string,
): DecisionDetails {
  return { id, kind, decidedBy, life, places, by: 'operator', begunAtMs: nowMs, preparedAtMs: nowMs, reason };
}
