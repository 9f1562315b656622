import { dirname } from 'node:path';
import type { Disk, DiskFile } from '../../kernel/index.js';

/** The completed step: the new bytes are durable under another name, the file is renamed, the new name is durable. */
export type ReplaceStep = 'synchronize' | 'rename' | 'directory';

/** Replaces or creates the file at `path`, durable when it resolves; if it fails, the file is whole, either old or new. */
export async function replaceFile(
  disk: Disk,
  path: string,
  write: (file: DiskFile) => Promise<void>,
  reached: (step: ReplaceStep) => void = () => undefined,
): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await writeFile(disk, temporary, write);
  } catch (error) {
    await disk.remove(temporary);
    throw error;
  }
  reached('synchronize');
  await disk.rename(temporary, path);
  reached('rename');
  await disk.synchronizeDirectory(dirname(path));
  reached('directory');
}

/** Makes the file at `path` contain exactly what `write` writes. The content is durable when it resolves; the name is not. */
export async function writeFile(disk: Disk, path: string, write: (file: DiskFile) => Promise<void>): Promise<void> {
  const file = await disk.open(path);
  try {
    await file.truncate(0);
    await write(file);
    await file.synchronize();
  } finally {
    await file.close();
  }
}
