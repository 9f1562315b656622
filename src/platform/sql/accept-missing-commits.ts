import { dirname } from 'node:path';
import type { Disk } from '../../kernel/index.js';
import { CommitWitness, witnessOf } from './commit-witness.js';
import { lookBeforeOpening, positionOf } from './look-before-opening.js';

/**
 * The durable commits that a database lacks, in words with file, expectation and finding; undefined when none is missing. Changes
 * nothing. Throws what `SqlDatabase.open` rejects with when it cannot be read.
 */
export async function missingCommitsOf(disk: Disk, file: string): Promise<string | undefined> {
  return lookBeforeOpening(file, await CommitWitness.read(disk, witnessOf(file)))?.message;
}

/** Durably accepts the loss, so that the next start continues with the file as it is. Not for a file in use. */
export async function acceptMissingCommits(disk: Disk, file: string): Promise<void> {
  const path = witnessOf(file);
  await disk.remove(path);
  await disk.synchronizeDirectory(dirname(file));
  const position = positionOf(file);
  if (position !== undefined) await CommitWitness.create(disk, path, position);
}
