import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { loadDirectories } from './load-config.js';

const FILE = '.env';

export interface NamedDirectory {
  /** An absolute path. */
  readonly directory: string;
  /** Such as `DATA_DIR from the environment`. */
  readonly source: string;
}

/** The data and replicas directories, from the sources of `loadConfig`. Empty when either setting is invalid. */
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
