import { readFileSync, statSync } from 'node:fs';

/** A line of /proc/locks (proc(5)): `1: POSIX  ADVISORY  WRITE 4711 fe:00:2295240 0 EOF`. */
const HELD = /^\d+: POSIX +ADVISORY +WRITE (\d+) [\da-f]+:[\da-f]+:(\d+) /gm;

/**
 * Whether the process `pid` holds the lock of SQLite on this file. Opens nothing. Undefined where the system does not say who holds a lock,
 * and when nobody that it can name holds this one.
 */
export function isLockHeldBy(path: string, pid: number): boolean | undefined {
  const inode = statSync(path, { throwIfNoEntry: false })?.ino;
  let table: string;
  try {
    table = readFileSync('/proc/locks', 'utf8');
  } catch {
    return undefined;
  }
  const holders = [...table.matchAll(HELD)]
    .filter(([, , held]) => Number(held) === inode)
    .map(([, holder]) => Number(holder));
  return holders.length === 0 ? undefined : holders.includes(pid);
}
