import type { CrashSites } from '../../../kernel/index.js';
import type { Telling } from '../core/recovery.js';
import type { Decision, LastResource, Participant, Receipt, TransactionId } from '../ports.js';
import { errorOf } from './error-of.js';
import type { InTime } from './in-time.js';

export interface TellingPorts {
  readonly participants: readonly Participant<never>[];
  readonly lastResource: Pick<LastResource<never, unknown>, 'completed'>;
  readonly crashSites: CrashSites;
  readonly inTime: InTime;
}

/** What became of telling one transaction's participants. */
export interface Told {
  readonly decision: Decision;
  /** By participant. */
  readonly receipts: Readonly<Record<string, Receipt>>;
  /** By participant, why it could not be told. Empty: the transaction is completed. */
  readonly errors: Readonly<Record<string, string>>;
}

/** Tells decisions that rows have made, all at once, and completes the transactions of which everyone could be told. */
export async function tellAll(
  tellings: readonly Telling[],
  ports: TellingPorts,
): Promise<ReadonlyMap<TransactionId, Told>> {
  const told = new Map<TransactionId, Told>();
  const add = (telling: Telling, news: Partial<Told>): void => {
    const before = told.get(telling.id) ?? { decision: telling.decision, receipts: {}, errors: {} };
    const receipts = { ...before.receipts, ...news.receipts };
    told.set(telling.id, { ...before, receipts, errors: { ...before.errors, ...news.errors } });
  };
  await Promise.all(
    tellings.map(async (telling) => {
      try {
        add(telling, { receipts: { [telling.participant]: await tell(telling, ports) } });
      } catch (reason) {
        add(telling, { errors: { [telling.participant]: errorOf(reason).message } });
      }
    }),
  );
  for (const [id, { receipts, errors }] of told) {
    if (Object.keys(errors).length === 0) ports.lastResource.completed(id, receipts);
  }
  return told;
}

async function tell({ id, participant: name, decision }: Telling, ports: TellingPorts): Promise<Receipt> {
  const participant = ports.participants.find((each) => each.name === name);
  if (participant === undefined) throw new Error(`there is no participant ${name}`);
  const telling = decision === 'committed' ? commitAt : abortAt;
  return ports.inTime(name, telling(participant, id, ports.crashSites));
}

async function commitAt(to: Participant<never>, id: TransactionId, crashSites: CrashSites): Promise<Receipt> {
  crashSites.reach('2pc.recovery.commit.before');
  const receipt = await to.commit(id);
  crashSites.reach('2pc.recovery.commit.after');
  return receipt;
}

async function abortAt(to: Participant<never>, id: TransactionId, crashSites: CrashSites): Promise<Receipt> {
  crashSites.reach('2pc.recovery.abort.before');
  const receipt = await to.abort(id);
  crashSites.reach('2pc.recovery.abort.after');
  return receipt;
}
