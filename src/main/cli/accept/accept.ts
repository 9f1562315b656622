import type { Clock } from '../../../kernel/index.js';
import {
  type DecisionDetails,
  type LastResource,
  mismatches,
  type Mismatch,
  type MissingPromise,
  missingPromises,
  type Participant,
  type StartFindings,
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
  const findings = await find(ports);
  const found = mismatches(findings, await neverMade(ports, missingPromises(findings)));
  const missing = found.filter(({ problem }) => problem === 'no-row');
  const accepted: TransactionHead[] = [];
  for (const details of detailsOf(missing, findings, ports.clock.nowMs(), reason)) {
    await ports.lastResource.decide(details, 'committed');
    accepted.push(details);
  }
  return { accepted, left: found.filter(({ problem }) => problem !== 'no-row') };
}

async function find({ participants, lastResource }: AcceptPorts): Promise<StartFindings> {
  const inDoubt: Record<string, StartFindings['inDoubt'][string]> = {};
  const carriedOut: Record<string, StartFindings['carriedOut'][string]> = {};
  for (const participant of participants) {
    inDoubt[participant.name] = await participant.inDoubt();
    carriedOut[participant.name] = (await participant.carriedOut?.()) ?? [];
  }
  const ids = Object.values(carriedOut).flatMap((transactions) => transactions.map(({ id }) => id));
  return {
    participants: participants.map(({ name }) => name),
    ...{ inDoubt, carriedOut },
    rows: await lastResource.decisions(ids),
    incomplete: await lastResource.incomplete(),
  };
}

async function neverMade(
  { participants }: AcceptPorts,
  promises: readonly MissingPromise[],
): Promise<readonly MissingPromise[]> {
  const certain: MissingPromise[] = [];
  for (const promise of promises) {
    const participant = participants.find(({ name }) => name === promise.participant);
    const mayBe = (await participant?.mayHavePrepared?.(promise.id, promise.place)) ?? true;
    if (!mayBe) certain.push(promise);
  }
  return certain;
}

function detailsOf(
  missing: readonly Mismatch[],
  { carriedOut }: StartFindings,
  nowMs: number,
  reason: string,
): readonly DecisionDetails[] {
  const details = new Map<string, DecisionDetails>();
  for (const { id, participant } of missing) {
    const head = carriedOut[participant]?.find((transaction) => transaction.id === id);
    if (head === undefined) continue;
    const { kind, decidedBy, era } = head;
    const places = { ...details.get(id)?.places, [participant]: '' };
    const about = { by: 'operator', begunAtMs: nowMs, preparedAtMs: nowMs, reason } as const;
    details.set(id, { id, kind, decidedBy, era, places, ...about });
  }
  return [...details.values()];
}
