/**
 * Loaded into a process with `node --import`: while the file that SLOW_FSYNC names exists, each fdatasync answers 3 seconds after the
 * disk has done it, as a disk at its limit does.
 */
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const SLOW_MS = 3_000;

const handle = await open('/dev/null');
const prototype = Object.getPrototypeOf(handle);
await handle.close();
const { datasync } = prototype;
prototype.datasync = async function () {
  await datasync.call(this);
  if (existsSync(process.env.SLOW_FSYNC)) await delay(SLOW_MS);
};
