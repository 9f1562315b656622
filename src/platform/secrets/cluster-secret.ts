import { createHash, hkdfSync } from 'node:crypto';
import { join } from 'node:path';
import { AppError, type CrashSites, type Disk, type Log, type Random } from '../../kernel/index.js';

/**
 * All nodes of an installation share one secret. Every node keeps a copy, and the majority outvotes a lost, damaged or foreign
 * copy. A file holds the secret and a line that reveals damage; files of earlier versions hold only the secret.
 */

export const SECRET_CRASH_SITES = ['cluster-secret.rename.before', 'cluster-secret.rename.after'] as const;

const SECRET_FILE = 'cluster-secret';
/** Keeps a copy that was replaced. */
const OUTVOTED_FILE = 'cluster-secret.outvoted';
const SECRET_BYTES = 32;
const KEY_BYTES = 32;
const CHECK_DIGITS = 16;
/** The format of CLUSTER_SECRET. Without a line that vouches for it, a shorter text is no secret. */
const OF_AN_EARLIER_VERSION = /^[\x20-\x7e]{16,}$/;

export interface SecretPorts {
  readonly disk: Disk;
  readonly random: Random;
  readonly crashSites: CrashSites;
  readonly log: Pick<Log, 'warn'>;
}

export interface SecretLocations {
  /** CLUSTER_SECRET, which is used as given and written nowhere. */
  readonly given: string | undefined;
  readonly dataDirectory: string;
  /** All replicas on this machine. */
  readonly replicaDirectories: readonly string[];
  /** Each must get a durable copy in a file with mode 0600; otherwise the call rejects. */
  readonly keepIn: readonly string[];
  /** Each gets a copy if possible; otherwise the log says so. */
  readonly spreadTo?: readonly string[];
}

/**
 * Returns the given secret, else the one in most copies, else a new one. The log names differing and damaged copies; where a copy
 * is kept, the right one replaces it and the old file stays beside it. Throws `misconfigured` on a tie, and `data-corrupt` when
 * all copies are damaged.
 */
export async function clusterSecret(ports: SecretPorts, places: SecretLocations): Promise<string> {
  const known = await knownClusterSecret(ports, places);
  if (known !== undefined) return known;
  const text = Buffer.from(ports.random.bytes(SECRET_BYTES)).toString('hex');
  await keepCopies(ports, text, places);
  return text;
}

/** Same as `clusterSecret`, but undefined where that would make a new secret. */
export async function knownClusterSecret(ports: SecretPorts, places: SecretLocations): Promise<string | undefined> {
  if (places.given !== undefined) return places.given;
  const copies = await copiesIn(ports, [places.dataDirectory, ...places.replicaDirectories]);
  const text = elected(copies);
  if (text === undefined) return undefined;
  const differing = copies.filter((copy) => copy.text !== text);
  if (differing.length > 0) {
    const found = `the cluster secret in ${pathsOf(differing)} is damaged or differs from most copies`;
    ports.log.warn(
      `${found}: the majority's secret replaces the copies kept here, and each replaced file is renamed ${OUTVOTED_FILE}`,
    );
  }
  await keepCopies(ports, text, places);
  return text;
}

export function secretFileIn(directory: string): string {
  return join(directory, SECRET_FILE);
}

/** Derives a key for one purpose (RFC 5869), so that no two uses of the secret share a key. */
export function deriveKey(secret: string, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', purpose, KEY_BYTES));
}

interface Copy {
  readonly path: string;
  /** Undefined when the copy is damaged. */
  readonly text: string | undefined;
  /** Whether its second line vouches for the first. */
  readonly isVerified: boolean;
}

async function copiesIn({ disk, log }: SecretPorts, directories: readonly string[]): Promise<readonly Copy[]> {
  const copies = await Promise.all(
    [...new Set(directories)].map(async (directory): Promise<Copy | undefined> => {
      const path = join(directory, SECRET_FILE);
      try {
        const bytes = await disk.read(path);
        return bytes && { path, ...secretIn(bytes) };
      } catch (error) {
        log.warn(`${path} cannot be read: ${(error as Error).message}`);
        return undefined;
      }
    }),
  );
  return copies.filter((copy) => copy !== undefined);
}

function secretIn(bytes: Buffer): Omit<Copy, 'path'> {
  const [text = '', check] = bytes.toString('utf8').trim().split('\n');
  const isVerified = check === checkOf(text);
  const isPlain = check === undefined && OF_AN_EARLIER_VERSION.test(text);
  return { text: isVerified || isPlain ? text : undefined, isVerified };
}

function contentOf(secret: string): Buffer {
  return Buffer.from(`${secret}\n${checkOf(secret)}\n`);
}

function checkOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex').slice(0, CHECK_DIGITS);
}

/** Chooses the secret in most copies; on a tie, the one that more copies vouch for. Undefined when there are no copies. */
function elected(copies: readonly Copy[]): string | undefined {
  const texts = [...new Set(copies.flatMap(({ text }) => text ?? []))];
  const candidates = texts.map((text) => {
    const holders = copies.filter((copy) => copy.text === text);
    return { text, holders, verified: holders.filter(({ isVerified }) => isVerified).length };
  });
  const compare = (left: (typeof candidates)[number], right: typeof left): number =>
    right.holders.length - left.holders.length || right.verified - left.verified;
  const [first, second] = candidates.sort(compare);
  if (first && second && compare(first, second) === 0) throw tied(first.holders, second.holders);
  if (!first && copies.length > 0) throw damaged(copies);
  return first?.text;
}

async function keepCopies(
  ports: SecretPorts,
  secret: string,
  { keepIn, spreadTo = [] }: Pick<SecretLocations, 'keepIn' | 'spreadTo'>,
): Promise<void> {
  for (const directory of keepIn) await keepCopy(ports, secret, directory);
  for (const directory of spreadTo) {
    try {
      await keepCopy(ports, secret, directory);
    } catch (error) {
      ports.log.warn(`cannot write a copy of the cluster secret to ${directory}: ${(error as Error).message}`);
    }
  }
}

async function keepCopy({ disk, crashSites }: SecretPorts, secret: string, directory: string): Promise<void> {
  await disk.ensureDirectory(directory);
  const path = join(directory, SECRET_FILE);
  const kept = await disk.read(path);
  if (kept && secretIn(kept).text === secret) return;
  const file = await disk.open(`${path}.tmp`);
  await file.truncate(0);
  await file.write(contentOf(secret), 0);
  await file.synchronize();
  await file.close();
  if (kept) await disk.rename(path, join(directory, OUTVOTED_FILE));
  crashSites.reach('cluster-secret.rename.before');
  await disk.rename(`${path}.tmp`, path);
  crashSites.reach('cluster-secret.rename.after');
  await disk.synchronizeDirectory(directory);
}

function tied(some: readonly Copy[], others: readonly Copy[]): AppError {
  const between = `${pathsOf(some)} differ from ${pathsOf(others)}`;
  const remedy = 'copy the right file over the wrong one, or set CLUSTER_SECRET to the right secret';
  return new AppError('misconfigured', `the cluster secrets in ${between}, and no further copy decides: ${remedy}`, {
    retry: 'never',
  });
}

function damaged(copies: readonly Copy[]): AppError {
  const remedy =
    'restore it from a backup, or delete it: the next start creates a new secret, and answers earlier Idempotency-Keys 422';
  return new AppError(
    'data-corrupt',
    `${pathsOf(copies)}: the cluster secret is damaged and has no other copy: ${remedy}`,
    {
      retry: 'never',
    },
  );
}

function pathsOf(copies: readonly Copy[]): string {
  return copies.map(({ path }) => path).join(' and ');
}
