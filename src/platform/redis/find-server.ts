import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The Redis server at `given`, or else the first in `searchPath`, which has the format of PATH; undefined when there is none. */
export function findRedisServer(given: string | undefined, searchPath: string): string | undefined {
  const folders = searchPath.split(delimiter).filter((folder) => folder !== '');
  const candidates = given === undefined ? folders.map((folder) => join(folder, 'redis-server')) : [given];
  return candidates.find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
