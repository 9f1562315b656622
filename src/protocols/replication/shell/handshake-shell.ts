import { ACCEPT_LOSS, AppError, isAppError, type Log, type Timers } from '../../../kernel/index.js';
import { decideHandshake, type Heard } from '../core/handshake.js';
import type { ReplicaReport } from '../messages.js';
import { askAll } from './ask-all.js';
import type { PrimaryStore } from './primary-store.js';
import type { ReplicaLink } from './replica-link.js';

export interface HandshakePorts {
  readonly store: PrimaryStore;
  readonly links: readonly ReplicaLink[];
  readonly timers: Timers;
  readonly log: Log;
}

export interface HandshakeOptions {
  /** Random, made at this start. */
  readonly primaryId: string;
  readonly minInSync: number;
  readonly replicaTimeoutMs: number;
  /** The pause between two rounds of questions. */
  readonly askEveryMs: number;
}

const PULL_BYTES = 1024 * 1024;

/**
 * The handshake before a primary's first append: it fetches records that are missing here, and asks the replicas to promise that
 * they follow no older primary. Resolves with the promised epoch. While too few replicas answer, it keeps asking and calls
 * `onWait` before each pause, with the last errors by replica. Calls `assertGoing` before each question and rejects with what
 * that throws. Rejects with `recovery-needed` when beginning would lose records that the replicas hold.
 */
export async function openHistory(
  ports: HandshakePorts,
  options: HandshakeOptions,
  assertGoing: () => void,
  onWait: (waiting: string, errors: Readonly<Record<string, string>>) => void,
): Promise<number> {
  const { store, links, timers } = ports;
  const forks: string[] = [];
  let heard: Heard = {};
  let errors: Readonly<Record<string, string>> = {};
  let silent: readonly string[] = [];
  let askedEpoch = 0;
  const pause = (why: string): Promise<void> => {
    onWait(why, errors);
    return new Promise((resolve) => timers.after(options.askEveryMs, resolve));
  };
  const ask = async (question: (link: ReplicaLink) => Promise<ReplicaReport>): Promise<void> => {
    assertGoing();
    const asked = await askAll(links, question);
    heard = { ...heard, ...asked.answers };
    ({ errors, silent } = asked);
  };
  const askForReports = (): Promise<void> => ask((link) => link.report(options.replicaTimeoutMs));
  await askForReports();
  for (;;) {
    const { clusterId, position } = store.history;
    const own = { clusterId, position, primaryId: options.primaryId, forks, missing: missingIn(store) };
    const decision = decideHandshake(own, heard, links.length, options.minInSync);
    switch (decision.kind) {
      case 'open':
        return decision.epoch;
      case 'refuse':
        throw new AppError('recovery-needed', `${decision.reason} Nothing was written here.`, { retry: 'never' });
      case 'pull': {
        const pulled = await pull(ports, decision.replica, options.replicaTimeoutMs);
        if (pulled === 'fork') forks.push(decision.replica);
        if (pulled !== 'silence') break;
        await pause(`${decision.replica} holds records that are missing here and does not send them`);
        await askForReports();
        break;
      }
      case 'ask-promises': {
        if (decision.epoch === askedEpoch) await pause(`too few replicas promise epoch ${String(askedEpoch)}`);
        askedEpoch = decision.epoch;
        const from = { epoch: decision.epoch, primaryId: options.primaryId };
        await ask(async (link) => (await link.promise(from, options.replicaTimeoutMs)).report);
        break;
      }
      case 'wait-for-all':
        await pause(`${decision.missing}; replicas that do not answer may hold it (${silent.join('; ')})`);
        await askForReports();
        break;
      case 'wait': {
        const count = `${String(decision.heard)} of ${String(links.length)} replicas answered`;
        const why = `${String(decision.needed)} are needed to be sure that nothing is missing here`;
        await pause(`${count} and ${why} (${silent.join('; ')})`);
        await askForReports();
        break;
      }
    }
  }
}

/** When the expected end is unknown, a quorum of replicas knows it. */
function missingIn({ missing }: PrimaryStore): string | undefined {
  return missing?.expected && `${missing.description}: put it back, or accept the loss with ${ACCEPT_LOSS}`;
}

/** Fetches what follows this history from a replica that has more. `fork` means that the replica's records do not follow. */
async function pull(
  { store, links, log }: HandshakePorts,
  name: string,
  timeoutMs: number,
): Promise<'pulled' | 'fork' | 'silence'> {
  const from = store.history.position;
  const link = links.find((candidate) => candidate.name === name);
  const records = await link?.records(from.seq, PULL_BYTES, timeoutMs).catch((error: unknown) => {
    log.warn('could not fetch the records that are missing here', { replica: name, error: String(error) });
  });
  if (records === undefined) return 'silence';
  if (records === 'gone' || records.length === 0) return 'fork';
  try {
    await store.follow(records);
  } catch (error) {
    if (isAppError(error, 'conflict')) return 'fork';
    throw error;
  }
  const through = store.history.position.seq;
  log.warn('fetched missing records from a replica', { replica: name, after: from.seq, through });
  return 'pulled';
}
