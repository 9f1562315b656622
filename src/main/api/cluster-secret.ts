import { hkdfSync } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { CrashSites, Disk, Random } from '../../kernel/index.js';

export const SECRET_CRASH_SITES = ['cluster-secret.rename.before', 'cluster-secret.rename.after'] as const;

const SECRET_FILE = 'cluster-secret';
const SECRET_BYTES = 32;
const KEY_BYTES = 32;

/** The given secret, or the one in the data directory (mode 0600), made durably at the first start. */
export async function clusterSecret(
  ports: { readonly disk: Disk; readonly random: Random; readonly crashSites: CrashSites },
  dataDirectory: string,
  given: string | undefined,
): Promise<string> {
  if (given !== undefined) return given;
  const path = join(dataDirectory, SECRET_FILE);
  const kept = (await ports.disk.read(path))?.toString('utf8').trim();
  if (kept) return kept;
  const secret = Buffer.from(ports.random.bytes(SECRET_BYTES)).toString('hex');
  const file = await ports.disk.open(`${path}.tmp`);
  await file.write(Buffer.from(`${secret}\n`), 0);
  await file.synchronize();
  await file.close();
  ports.crashSites.reach('cluster-secret.rename.before');
  await ports.disk.rename(`${path}.tmp`, path);
  ports.crashSites.reach('cluster-secret.rename.after');
  await ports.disk.synchronizeDirectory(dirname(path));
  return secret;
}

/** A key for one purpose (RFC 5869), so that no two uses of the secret share one. */
export function deriveKey(secret: string, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', purpose, KEY_BYTES));
}
