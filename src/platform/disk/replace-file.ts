import { dirname } from 'node:path';
import type { Disk, DiskFile } from '../../kernel/index.js';

/** What is done: the new bytes are durable under another name, they have the name, the name is durable. */
export type ReplaceStep = 'synchronize' | 'rename' | 'directory';

/**
 * Puts what `write` writes in the place of the file at `path`, made when it is missing; durable when it resolves. When it
 * fails, the old file or the new one stands. `reached` is called after each step.
 */
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

/** The file at `path` has what `write` writes and nothing else. Durable when it resolves, but for its name. */
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
