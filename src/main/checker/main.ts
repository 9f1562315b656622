import { setPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { findDamage, type SealedTable } from '../../platform/sql-check/index.js';

const LOWEST_PRIORITY = 19;
const EXIT_DAMAGED = 3;
/** A fifth of the time is work, so that the check hardly slows the server. */
const PAUSE_PER_WORK = 4;

/** Reads a database once: `checker <file> <sealed tables as JSON>`. Prints the damage, and exits with 3 when it finds any. */
async function main([file = '', sealed = '[]']: readonly string[]): Promise<number> {
  setPriority(LOWEST_PRIORITY);
  // The end of the input means that the parent process is gone.
  process.stdin.on('end', () => process.exit(0)).resume();
  const found = await findDamage(file, JSON.parse(sealed) as readonly SealedTable[], (workedMs) =>
    delay(workedMs * PAUSE_PER_WORK),
  );
  if (found === undefined) return 0;
  process.stdout.write(found);
  return EXIT_DAMAGED;
}

main(process.argv.slice(2)).then(
  (exitCode) => {
    process.exitCode = exitCode;
    process.stdin.destroy();
  },
  (error: unknown) => {
    process.stderr.write(String(error));
    process.exit(1);
  },
);
