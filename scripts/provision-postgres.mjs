/** Finds PostgreSQL, for the tests of transactions that it decides, or installs it where that is ours to do. Plain Node. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensureProgram, isProgram, missing, onPath } from './provision-programs.mjs';

/** Debian keeps each version's programs here, and of them only those for clients on PATH. */
const DEBIAN_VERSIONS = '/usr/lib/postgresql';

/**
 * The folder of `initdb` and `postgres`: POSTGRES_BIN_DIR, else where the first on PATH is, else Debian's newest, else a
 * new one. Absent: as `ensureProgram`.
 */
export function ensurePostgres(env = process.env) {
  if (env.POSTGRES_BIN_DIR) {
    if (hasServer(env.POSTGRES_BIN_DIR)) return env.POSTGRES_BIN_DIR;
    return missing(env, `POSTGRES_BIN_DIR=${env.POSTGRES_BIN_DIR} has no initdb and postgres`);
  }
  const otherRemedy =
    process.platform === 'darwin'
      ? 'type "brew install postgresql@15"'
      : 'install PostgreSQL 15 or newer, or name the folder of its programs in POSTGRES_BIN_DIR';
  const find = () => findPostgres(env);
  return ensureProgram({ name: 'PostgreSQL', debianPackage: 'postgresql', find, otherRemedy }, env);
}

/** Of what is installed; undefined when there is none. */
function findPostgres(env) {
  const initdb = onPath('initdb', env);
  const versions = existsSync(DEBIAN_VERSIONS)
    ? readdirSync(DEBIAN_VERSIONS).sort((a, b) => Number(b) - Number(a))
    : [];
  const folders = [...(initdb ? [dirname(initdb)] : []), ...versions.map((one) => join(DEBIAN_VERSIONS, one, 'bin'))];
  return folders.find(hasServer);
}

function hasServer(folder) {
  return ['initdb', 'postgres'].every((name) => isProgram(join(folder, name)));
}
