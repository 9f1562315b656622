import { hkdfSync } from 'node:crypto';
import { join } from 'node:path';
import { AppError, type CrashSites, type Disk, type Random } from '../../kernel/index.js';

export const SECRET_CRASH_SITES = ['cluster-secret.rename.before', 'cluster-secret.rename.after'] as const;

const SECRET_FILE = 'cluster-secret';
const SECRET_BYTES = 32;
const KEY_BYTES = 32;

export interface SecretPorts {
  readonly disk: Disk;
  readonly random: Random;
  readonly crashSites: CrashSites;
}

export interface SecretPlaces {
  /** CLUSTER_SECRET. It is used as it is and written nowhere. */
  readonly given: string | undefined;
  readonly dataDirectory: string;
  /** Of all replicas on this machine. */
  readonly replicaDirectories: readonly string[];
  /** Who shall have a copy of its own afterwards, durable, in a file with mode 0600. */
  readonly keepIn: readonly string[];
}

/**
 * The secret that all nodes of this installation share: the given one, else that of the data directory, else that of
 * the replicas, so that it outlives the data directory, else a new one. Throws `misconfigured` when two kept ones
 * differ: neither is overwritten, for with it went the access to what it protects.
 */
export async function clusterSecret(ports: SecretPorts, places: SecretPlaces): Promise<string> {
  const known = await knownClusterSecret(ports, places);
  if (known !== undefined) return known;
  const text = Buffer.from(ports.random.bytes(SECRET_BYTES)).toString('hex');
  await keepCopies(ports, { text, path: '' }, places.keepIn);
  return text;
}

/** The same, but undefined where it would make a new one. */
export async function knownClusterSecret(
  ports: SecretPorts,
  { given, dataDirectory, replicaDirectories, keepIn }: SecretPlaces,
): Promise<string | undefined> {
  if (given !== undefined) return given;
  const { disk } = ports;
  const kept = (await readSecret(disk, dataDirectory)) ?? (await theOneOf(disk, replicaDirectories));
  if (kept) await keepCopies(ports, kept, keepIn);
  return kept?.text;
}

/** A key for one purpose (RFC 5869), so that no two uses of the secret share one. */
export function deriveKey(secret: string, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', purpose, KEY_BYTES));
}

interface KeptSecret {
  readonly text: string;
  readonly path: string;
}

async function keepCopies(ports: SecretPorts, secret: KeptSecret, keepIn: readonly string[]): Promise<void> {
  for (const directory of keepIn) {
    const own = await readSecret(ports.disk, directory);
    if (!own) await writeSecret(ports, directory, secret.text);
    else if (own.text !== secret.text) throw differing([secret, own]);
  }
}

async function readSecret(disk: Disk, directory: string): Promise<KeptSecret | undefined> {
  const path = join(directory, SECRET_FILE);
  const text = (await disk.read(path))?.toString('utf8').trim();
  return text ? { text, path } : undefined;
}

async function theOneOf(disk: Disk, directories: readonly string[]): Promise<KeptSecret | undefined> {
  const read = await Promise.all(directories.map((directory) => readSecret(disk, directory)));
  const kept = read.filter((secret) => secret !== undefined);
  const [first] = kept;
  if (kept.some(({ text }) => text !== first?.text)) throw differing(kept);
  return first;
}

async function writeSecret({ disk, crashSites }: SecretPorts, directory: string, secret: string): Promise<void> {
  const path = join(directory, SECRET_FILE);
  await disk.ensureDirectory(directory);
  const file = await disk.open(`${path}.tmp`);
  await file.truncate(0);
  await file.write(Buffer.from(`${secret}\n`), 0);
  await file.synchronize();
  await file.close();
  crashSites.reach('cluster-secret.rename.before');
  await disk.rename(`${path}.tmp`, path);
  crashSites.reach('cluster-secret.rename.after');
  await disk.synchronizeDirectory(directory);
}

function differing(secrets: readonly KeptSecret[]): AppError {
  const paths = secrets.map(({ path }) => path).join(' and ');
  const remedy = 'they come from different installations. Move away the directory that does not belong here';
  return new AppError('misconfigured', `${paths} differ: ${remedy}`, { retry: 'never' });
}
