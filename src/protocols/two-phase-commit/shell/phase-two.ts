import type { CrashSites } from '../../../kernel/index.js';
import type { Notification } from '../core/recovery.js';
import type { Decision, LastResource, Participant, Acknowledgement, TransactionId } from '../ports.js';
import { errorOf } from './error-of.js';
import type { InTime } from './in-time.js';

export interface PhaseTwoPorts {
  readonly participants: readonly Participant<never>[];
  readonly lastResource: Pick<LastResource<never, unknown>, 'completed'>;
  readonly crashSites: CrashSites;
  readonly inTime: InTime;
}

export interface Notified {
  readonly decision: Decision;
  readonly acknowledgements: Readonly<Record<string, Acknowledgement>>;
  /** By participant: why it could not be notified. Empty when the transaction is completed. */
  readonly errors: Readonly<Record<string, string>>;
}

/** Notifies participants of row decisions, all at once, and completes each transaction whose participants all answered. */
export async function notifyAll(
  notifications: readonly Notification[],
  ports: PhaseTwoPorts,
): Promise<ReadonlyMap<TransactionId, Notified>> {
  const notified = new Map<TransactionId, Notified>();
  const add = (notification: Notification, news: Partial<Notified>): void => {
    const before = notified.get(notification.id) ?? {
      decision: notification.decision,
      acknowledgements: {},
      errors: {},
    };
    const acknowledgements = { ...before.acknowledgements, ...news.acknowledgements };
    notified.set(notification.id, { ...before, acknowledgements, errors: { ...before.errors, ...news.errors } });
  };
  await Promise.all(
    notifications.map(async (notification) => {
      try {
        add(notification, { acknowledgements: { [notification.participant]: await notify(notification, ports) } });
      } catch (reason) {
        add(notification, { errors: { [notification.participant]: errorOf(reason).message } });
      }
    }),
  );
  for (const [id, { acknowledgements, errors }] of notified) {
    if (Object.keys(errors).length === 0) ports.lastResource.completed(id, acknowledgements);
  }
  return notified;
}

async function notify(
  { id, participant: name, decision }: Notification,
  ports: PhaseTwoPorts,
): Promise<Acknowledgement> {
  const participant = ports.participants.find((each) => each.name === name);
  if (participant === undefined) throw new Error(`there is no participant ${name}`);
  const notification = decision === 'committed' ? commitAt : abortAt;
  return ports.inTime(name, notification(participant, id, ports.crashSites));
}

async function commitAt(to: Participant<never>, id: TransactionId, crashSites: CrashSites): Promise<Acknowledgement> {
  crashSites.reach('2pc.recovery.commit.before');
  const acknowledgement = await to.commit(id);
  crashSites.reach('2pc.recovery.commit.after');
  return acknowledgement;
}

async function abortAt(to: Participant<never>, id: TransactionId, crashSites: CrashSites): Promise<Acknowledgement> {
  crashSites.reach('2pc.recovery.abort.before');
  const acknowledgement = await to.abort(id);
  crashSites.reach('2pc.recovery.abort.after');
  return acknowledgement;
}
