import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { loadDirectories } from './load-config.js';

const FILE = '.env';

/** A directory, and where the setting that names it comes from: for messages. */
export interface NamedDirectory {
  /** Absolute. */
  readonly directory: string;
  /** As in `DATA_DIR from the environment`. */
  readonly source: string;
}

/** Of the data and of the replicas, from where `loadConfig` reads them. Empty where these two settings are wrong. */
export function namedDirectories(): readonly NamedDirectory[] {
  try {
    const { dataDirectory, replicasDirectory } = loadDirectories();
    return [
      { directory: dataDirectory, source: sourceOf('DATA_DIR') },
      { directory: replicasDirectory, source: sourceOf('REPLICAS_DIR') },
    ];
  } catch {
    return [];
  }
}

function sourceOf(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') return `the default of ${name}`;
  const inFile = existsSync(FILE) ? parseEnv(readFileSync(FILE, 'utf8'))[name] : undefined;
  return `${name} from ${inFile === value ? FILE : 'the environment'}`;
}
