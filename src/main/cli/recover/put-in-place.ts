import { join } from 'node:path';
import type { Clock, Disk } from '../../../kernel/index.js';
import { type EndWitnessPorts, forgetEnd } from '../../../platform/journal/index.js';

const DOCUMENTS = 'documents';
const HALF_MADE = 'documents.recovering';

export interface Target {
  /** The directory of the unfinished copy; its content may be deleted. */
  readonly recovering: string;
  readonly documents: string;
}

export function targetIn(dataDirectory: string): Target {
  return { recovering: join(dataDirectory, HALF_MADE), documents: join(dataDirectory, DOCUMENTS) };
}

/** Removes the unused copy of an interrupted recovery. */
export async function clearHalfMade(disk: Disk, { recovering }: Target): Promise<void> {
  for (const name of await disk.list(recovering)) await disk.remove(join(recovering, name));
}

/**
 * Makes the finished copy the app's documents. Keeps the earlier documents under another name, which it returns; undefined when
 * there were none. A crash midway leaves no documents at all, and the app refuses to start without them.
 */
export async function putInPlace(
  ports: EndWitnessPorts & { readonly clock: Clock },
  dataDirectory: string,
): Promise<string | undefined> {
  const { disk, clock } = ports;
  const { recovering, documents } = targetIn(dataDirectory);
  const isThere = (await disk.list(documents)).length > 0;
  const base = `${documents}.before-recovery-${new Date(clock.nowMs()).toISOString().replaceAll(/[:.]/g, '-')}`;
  let kept = base;
  for (let copy = 2; (await disk.list(kept)).length > 0; copy += 1) kept = `${base}-${String(copy)}`;
  // The new documents may end earlier than the old ones did.
  await forgetEnd(ports, documents);
  if (isThere) await disk.rename(documents, kept);
  await disk.rename(recovering, documents);
  await disk.synchronizeDirectory(dataDirectory);
  return isThere ? kept : undefined;
}
