/** Finds a Redis server, or installs one where that is ours to do. Plain Node. */
import { ensureProgram, isProgram, missing, onPath } from './provision-programs.mjs';

/** The path of a redis-server: REDIS_SERVER_BIN, else the first on PATH, else a new one. Absent: as `ensureProgram`. */
export function ensureRedis(env = process.env) {
  if (env.REDIS_SERVER_BIN) {
    if (isProgram(env.REDIS_SERVER_BIN)) return env.REDIS_SERVER_BIN;
    return missing(env, `REDIS_SERVER_BIN=${env.REDIS_SERVER_BIN} is not a program`);
  }
  const otherRemedy =
    process.platform === 'darwin'
      ? 'type "brew install redis"'
      : 'install Redis 7 or newer, or name its server in REDIS_SERVER_BIN';
  const find = () => onPath('redis-server', env);
  return ensureProgram({ name: 'redis-server', debianPackage: 'redis-server', find, otherRemedy }, env);
}
