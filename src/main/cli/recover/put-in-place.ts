import { join } from 'node:path';
import type { Clock, Disk } from '../../../kernel/index.js';
import { type EndWitnessPorts, forgetEnd } from '../../../platform/journal/index.js';

const DOCUMENTS = 'documents';
const HALF_MADE = 'documents.recovering';

export interface Target {
  /** Where the copy is made; nothing that matters is there. */
  readonly recovering: string;
  readonly documents: string;
}

export function targetIn(dataDirectory: string): Target {
  return { recovering: join(dataDirectory, HALF_MADE), documents: join(dataDirectory, DOCUMENTS) };
}

/** Takes away what an interrupted recovery has left. It was a copy that nobody has ever used. */
export async function clearHalfMade(disk: Disk, { recovering }: Target): Promise<void> {
  for (const name of await disk.list(recovering)) await disk.remove(join(recovering, name));
}

/**
 * The finished copy becomes the app's documents. What was there before is kept under another name, which is given back;
 * undefined when nothing was there. A crash in between leaves no documents at all, and the app does not start on that.
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
  // What comes in its place may end earlier than what was there.
  await forgetEnd(ports, documents);
  if (isThere) await disk.rename(documents, kept);
  await disk.rename(recovering, documents);
  await disk.synchronizeDirectory(dataDirectory);
  return isThere ? kept : undefined;
}
