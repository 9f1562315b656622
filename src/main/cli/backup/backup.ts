import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AppError, type Disk } from '../../../kernel/index.js';
import { writeFile } from '../../../platform/disk/index.js';
import { witnessPath } from '../../../platform/journal/index.js';
import { copySqlFile, missingCommitsOf, type SqlFile, sqlFileIn, witnessOf } from '../../../platform/sql/index.js';
import { TOKEN_KEYS_FILE } from '../../../platform/tokens/index.js';
import { documentsWitness } from '../accept-loss/journal-witnesses.js';

const DOCUMENTS = 'documents';
/** Beside the stores; a data directory may lack them. */
const MORE_FILES = ['cluster-secret', TOKEN_KEYS_FILE, 'accepted-losses.log'];
const CHUNK_BYTES = 1 << 20;

const partialOf = (target: string): string => `${target}.partial`;

/** Throws `conflict` when the target exists, or what an interrupted backup left of it. */
export function assertFree(target: string): void {
  const taken = [target, partialOf(target)].find((path) => existsSync(path));
  if (taken !== undefined) throw refusal('conflict', `${taken} exists: remove it, or name another directory`);
}

/** Throws `not-found` when a store is lost, or one of those that every version has was never made. */
export function assertWhole(dataDirectory: string, sqlFiles: readonly SqlFile[]): void {
  const paths = [...filesOf(dataDirectory, sqlFiles), join(dataDirectory, DOCUMENTS)];
  const missing = paths.find((path) => !existsSync(path));
  if (missing !== undefined) throw refusal('not-found', `there is no ${missing}`);
}

/** The paths of the SQL files, without those that no app on this directory has made, because it was of an earlier version. */
function filesOf(dataDirectory: string, sqlFiles: readonly SqlFile[]): string[] {
  const paths = sqlFiles.map((file) => sqlFileIn(dataDirectory, file));
  return paths.filter((path, index) => index === 0 || existsSync(path) || existsSync(witnessOf(path)));
}

/**
 * Copies the registered SQL files and the documents of a data directory that the caller has locked. The copy appears under its name
 * when it is whole and durable. Throws what a start would: `data-corrupt` and `recovery-needed`.
 */
export async function backUp(
  disk: Disk,
  sqlFiles: readonly SqlFile[],
  dataDirectory: string,
  target: string,
): Promise<void> {
  const partial = partialOf(target);
  try {
    await disk.ensureDirectory(join(partial, DOCUMENTS));
    for (const path of filesOf(dataDirectory, sqlFiles)) await copyDatabase(disk, path, join(partial, basename(path)));
    await copyDocuments(disk, dataDirectory, partial);
    for (const name of MORE_FILES) await copyFile(disk, join(dataDirectory, name), join(partial, name));
    await disk.synchronizeDirectory(partial);
    await disk.rename(partial, target);
    await disk.synchronizeDirectory(dirname(target));
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

async function copyDatabase(disk: Disk, from: string, to: string): Promise<void> {
  refuseIf(await missingCommitsOf(disk, from));
  await copySqlFile(from, to);
  await copyFile(disk, witnessOf(from), witnessOf(to));
}

async function copyDocuments(disk: Disk, from: string, to: string): Promise<void> {
  refuseIf(await documentsWitness(disk, from).find());
  const [source, copy] = [join(from, DOCUMENTS), join(to, DOCUMENTS)];
  for (const name of await disk.list(source)) await copyFile(disk, join(source, name), join(copy, name));
  await copyFile(disk, witnessPath(source), witnessPath(copy));
  await disk.synchronizeDirectory(copy);
}

/** Leaves out a file that does not exist. */
async function copyFile(disk: Disk, from: string, to: string): Promise<void> {
  const source = await disk.openForReading(from);
  if (!source) return;
  try {
    await writeFile(disk, to, async (file) => {
      for (let offset = 0; ;) {
        const bytes = await source.read(offset, CHUNK_BYTES);
        if (bytes.length === 0) return;
        await file.write(bytes, offset);
        offset += bytes.length;
      }
    });
  } finally {
    await source.close();
  }
}

function refuseIf(missing: string | undefined): void {
  if (missing !== undefined) throw refusal('recovery-needed', missing.replace(/\.$/, ''));
}

function refusal(code: 'conflict' | 'not-found' | 'recovery-needed', message: string): AppError {
  return new AppError(code, `${message}; nothing was copied`, { retry: 'never' });
}
