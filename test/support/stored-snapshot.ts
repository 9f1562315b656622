import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The path of the newest snapshot of the documents in a data directory, or in that of a replica; undefined when there is none. */
export function storedSnapshot(directory: string): string | undefined {
  const documents = join(directory, 'documents');
  const names = readdirSync(documents).filter((name) => /^documents-\d+-\d+\.json$/.test(name));
  const newest = names.sort().at(-1);
  return newest && join(documents, newest);
}
