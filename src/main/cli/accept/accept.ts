import type { Clock } from '../../../kernel/index.js';
import type { SqlTransactionTable } from '../../../platform/sql/index.js';
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
  readonly table: Pick<SqlTransactionTable, 'giveUp'>;
  readonly clock: Clock;
}

export interface Acceptance {
  /** Their rows now say `committed`. */
  readonly accepted: readonly TransactionHead[];
  /** Committed in the database and lost by a participant; the loss is accepted. */
  readonly givenUp: readonly Mismatch[];
  /** Mismatches that a row cannot repair. */
  readonly left: readonly Mismatch[];
}

/**
 * Writes a row for each transaction that a participant has committed and the database does not know, and gives up those that the
 * database has committed and a participant has lost. Must run before any transaction begins on these data. Lost data stays lost.
 */
export async function accept(ports: AcceptPorts, reason: string): Promise<Acceptance> {
  const found = await findMismatches(ports, await findInDoubt(ports), new Set());
  const missing = found.filter(({ problem }) => problem === 'no-row');
  const carriedOut = await findCarriedOut(ports);
  const accepted = new Map<string, DecisionDetails>();
  for (const { id, participant } of missing) {
    const head = carriedOut[participant]?.find((transaction) => transaction.id === id);
    if (head === undefined) throw new Error(`${participant} does not know ${id} any more`);
    const positions = { ...accepted.get(id)?.positions, [participant]: '' };
    accepted.set(id, detailsOf(head, positions, ports.clock.nowMs(), reason));
  }
  for (const details of accepted.values()) await ports.lastResource.decide(details, 'committed');
  const givenUp = found.filter(({ problem }) => problem === 'never-promised');
  await ports.table.giveUp([...new Set(givenUp.map(({ id }) => id))], reason);
  const left = found.filter(({ problem }) => problem !== 'no-row' && problem !== 'never-promised');
  return { accepted: [...accepted.values()], givenUp, left };
}

function detailsOf(
  { id, kind, decidedBy, incarnation }: TransactionHead,
  positions: DecisionDetails['positions'],
  nowMs: number,
  reason: string,
): DecisionDetails {
  return { id, kind, decidedBy, incarnation, positions, by: 'operator', begunAtMs: nowMs, preparedAtMs: nowMs, reason };
}
