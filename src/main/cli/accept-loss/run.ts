import { join } from 'node:path';
import { loadConfig } from '../../../config/index.js';
import { NodeDisk } from '../../../platform/disk/index.js';
import { systemClock } from '../../../platform/process/index.js';
import { acceptMissingCommits, bookstoreIn, missingCommitsOf } from '../../../platform/sql/index.js';
import { withUnused } from '../lock-unused.js';
import { reasonOf } from '../reason.js';
import type { Said } from '../said.js';
import { acceptLoss, type LossWitness } from './accept-loss.js';

const RECORD = 'accepted-losses.log';

/** `npm run data:accept-loss`: the way out when a start is refused because something that was durable is missing. */
export async function acceptLostData(text: string): Promise<Said> {
  const { dataDirectory } = loadConfig().storage;
  const reason = reasonOf(text);
  const disk = new NodeDisk();
  await disk.ensureDirectory(dataDirectory);
  const ports = { disk, clock: systemClock, record: join(dataDirectory, RECORD) };
  const witnesses = [databaseWitness(disk, bookstoreIn(dataDirectory))];
  return withUnused(dataDirectory, () => acceptLoss({ ...ports, witnesses }, reason));
}

function databaseWitness(disk: NodeDisk, file: string): LossWitness {
  return {
    find: () => missingCommitsOf(disk, file),
    accept: () => acceptMissingCommits(disk, file),
  };
}
