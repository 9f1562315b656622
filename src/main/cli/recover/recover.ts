import { type Clock, logPositionText, type Random, isAsFarAs } from '../../../kernel/index.js';
import { chooseRecovery, type Heard, type RecoveryChoice } from '../../../protocols/replication/index.js';
import { copyHistory, type Copied, type CopyPorts } from './copy-history.js';
import { disagreementAt } from './disagreement.js';
import { type Hearing, type HearingPorts, hearPromises, hearReports } from './hear-replicas.js';
import { ownHistory } from './own-history.js';
import { clearHalfMade, putInPlace, targetIn } from './put-in-place.js';

const RECOVERER_ID_BYTES = 16;

export interface RecoveryPorts extends CopyPorts, HearingPorts {
  readonly clock: Clock;
  readonly random: Random;
}

export interface RecoveryOptions {
  readonly dataDirectory: string;
  readonly minInSync: number;
  /** Only reports what would be done: promises and writes nothing. */
  readonly isDryRun: boolean;
}

type Choice = Extract<RecoveryChoice, { kind: 'restore' }>;

export type Recovery =
  | { readonly kind: 'impossible'; readonly reason: string; readonly silent: readonly string[] }
  | { readonly kind: 'possible'; readonly choice: Choice; readonly heard: number }
  | {
      readonly kind: 'restored';
      readonly choice: Choice;
      readonly heard: number;
      readonly copied: Copied;
      /** The directory that keeps the earlier documents; undefined when there were none. */
      readonly kept: string | undefined;
    };

/**
 * Rebuilds the documents of a lost data directory from the replica that holds most, after a quorum has promised to follow no
 * earlier primary. The caller holds the data directory's lock. An interrupted recovery can be run again: until its last step
 * nothing in use changes. Rejects with an AppError when a copy does not fit.
 */
export async function recover(ports: RecoveryPorts, options: RecoveryOptions): Promise<Recovery> {
  const { links, random, disk } = ports;
  const choose = (heard: Heard): RecoveryChoice => chooseRecovery(heard, links.length, options.minInSync);
  const reported = await hearReports(ports);
  // A needless promise would stop a primary that still runs elsewhere.
  const outlook = choose(reported.heard);
  if (outlook.kind !== 'restore') return impossible(outlook, reported);
  const differing = await disagreementAt(outlook.position, links, reported.heard);
  if (differing !== undefined) return { kind: 'impossible', reason: differing, silent: reported.silent };
  const needless = await reasonNotTo(ports, options.dataDirectory, outlook);
  if (needless !== undefined) return { kind: 'impossible', reason: needless, silent: [] };
  if (options.isDryRun) return { kind: 'possible', choice: outlook, heard: count(reported) };

  const recovererId = Buffer.from(random.bytes(RECOVERER_ID_BYTES)).toString('hex');
  const promised = await hearPromises(links, reported.heard, recovererId);
  const choice = choose(promised.heard);
  if (choice.kind !== 'restore') return impossible(choice, promised);
  const link = links.find(({ name }) => name === choice.replica);
  if (!link) throw new Error(`replica ${choice.replica} does not exist`);

  const target = targetIn(options.dataDirectory);
  await clearHalfMade(disk, target);
  const copied = await copyHistory(ports, link, choice, target.recovering);
  const kept = await putInPlace(ports, options.dataDirectory);
  return { kind: 'restored', choice, heard: count(promised), copied, kept };
}

/** Readable data ahead of the replicas needs no recovery, which would lose what only this data holds. */
async function reasonNotTo(ports: RecoveryPorts, directory: string, choice: Choice): Promise<string | undefined> {
  const own = await ownHistory(ports, directory);
  if (own?.clusterId !== choice.clusterId || isAsFarAs(choice.position, own.position)) return undefined;
  const reached = logPositionText(own.position);
  return `${directory} is readable and ahead of the replicas (up to ${reached}): run "npm start" instead.`;
}

function impossible(choice: Exclude<RecoveryChoice, { kind: 'restore' }>, { silent }: Hearing): Recovery {
  if (choice.kind === 'refuse') return { kind: 'impossible', reason: choice.reason, silent };
  const { promised, needed } = choice;
  const reason = `Only ${String(promised)} replicas are sure to hold all that they acknowledged; ${String(needed)} are needed.`;
  return { kind: 'impossible', reason, silent };
}

function count({ heard }: Hearing): number {
  return Object.keys(heard).length;
}
