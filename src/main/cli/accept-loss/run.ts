import { type Directories, loadConfig } from '../../../config/index.js';
import type { Disk } from '../../../kernel/index.js';
import { SQL_FILES } from '../../../modules/stores/index.js';
import { directoriesIn, NodeDisk } from '../../../platform/disk/index.js';
import { systemClock } from '../../../platform/process/index.js';
import { acceptMissingCommits, missingCommitsOf, type SqlFile, sqlFileIn } from '../../../platform/sql/index.js';
import { withUnused, withUnusedReplica } from '../lock-unused.js';
import { reasonOf } from '../reason.js';
import type { CommandOutput } from '../command-output.js';
import { acceptLoss, type LossWitness, type WitnessedDirectory } from './accept-loss.js';
import { documentsWitness, groupsWitness } from './journal-witnesses.js';

/** `npm run data:accept-loss`: the way out when a start is refused because durable data is missing. */
export async function acceptLostData(text: string): Promise<CommandOutput> {
  return acceptLostDataIn(loadConfig().storage, SQL_FILES, reasonOf(text));
}

export async function acceptLostDataIn(
  { dataDirectory, replicasDirectory }: Directories,
  sqlFiles: readonly SqlFile[],
  reason: string,
): Promise<CommandOutput> {
  const disk = new NodeDisk();
  await disk.ensureDirectory(dataDirectory);
  const replicas = (await directoriesIn(replicasDirectory)).map((path): WitnessedDirectory => {
    return { path, witnesses: [groupsWitness(disk, path)], whileUnused: (work) => withUnusedReplica(path, work) };
  });
  const data: WitnessedDirectory = {
    path: dataDirectory,
    witnesses: [
      ...sqlFiles.map((file) => databaseWitness(disk, sqlFileIn(dataDirectory, file))),
      documentsWitness(disk, dataDirectory),
    ],
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
