import { resolve } from 'node:path';
import { loadConfig } from '../../../config/index.js';
import { SQL_FILES } from '../../../modules/stores/index.js';
import { NodeDisk } from '../../../platform/disk/index.js';
import { withUnused } from '../lock-unused.js';
import type { CommandOutput } from '../command-output.js';
import { assertFree, assertWhole, backUp } from './backup.js';

/** `npm run backup -- DIR`: a copy that `npm start` accepts as its data directory. */
export async function runBackup(directory: string): Promise<CommandOutput> {
  const { dataDirectory } = loadConfig().storage;
  const target = resolve(directory);
  assertFree(target);
  assertWhole(dataDirectory, SQL_FILES);
  await withUnused(dataDirectory, () => backUp(new NodeDisk(), SQL_FILES, dataDirectory, target));
  return { exitCode: 0, lines: [`Backed up ${dataDirectory} to ${target}. docs/runbook.md says how to restore it.`] };
}
