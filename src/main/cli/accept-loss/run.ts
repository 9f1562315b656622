import { loadConfig } from '../../../config/index.js';
import type { Disk } from '../../../kernel/index.js';
import { directoriesIn, NodeDisk } from '../../../platform/disk/index.js';
import { systemClock } from '../../../platform/process/index.js';
import { acceptMissingCommits, bookstoreIn, missingCommitsOf } from '../../../platform/sql/index.js';
import { withUnused, withUnusedReplica } from '../lock-unused.js';
import { reasonOf } from '../reason.js';
import type { CommandOutput } from '../command-output.js';
import { acceptLoss, type LossWitness, type WitnessedDirectory } from './accept-loss.js';
import { documentsWitness, groupsWitness } from './journal-witnesses.js';

/** `npm run data:accept-loss`: the way out when a start is refused because durable data is missing. */
export async function acceptLostData(text: string): Promise<CommandOutput> {
  const { dataDirectory, replicasDirectory } = loadConfig().storage;
  const reason = reasonOf(text);
  const disk = new NodeDisk();
  await disk.ensureDirectory(dataDirectory);
  const replicas = (await directoriesIn(replicasDirectory)).map((path): WitnessedDirectory => {
    return { path, witnesses: [groupsWitness(disk, path)], whileUnused: (work) => withUnusedReplica(path, work) };
  });
  const data: WitnessedDirectory = {
    path: dataDirectory,
    witnesses: [databaseWitness(disk, bookstoreIn(dataDirectory)), documentsWitness(disk, dataDirectory)],
    whileUnused: (work) => withUnused(dataDirectory, work),
  };
  return acceptLoss({ disk, clock: systemClock }, [data, ...replicas], reason);
}

function databaseWitness(disk: Disk, file: string): LossWitness {
  return {
    find: () => missingCommitsOf(disk, file),
    accept: () => acceptMissingCommits(disk, file),
  };
}
