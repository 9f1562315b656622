import { timingSafeEqual } from 'node:crypto';
import { deriveKey } from '../../../platform/secrets/index.js';

/** What a process that knows the cluster's secret sends as `Authorization` to a replica. */
export function replicationAuthorization(clusterSecret: string): string {
  return `Bearer ${Buffer.from(deriveKey(clusterSecret, 'replication')).toString('base64url')}`;
}

/** In a time that tells nothing of where the two differ. */
export function isAuthorized(presented: string | undefined, expected: string): boolean {
  const [given, wanted] = [Buffer.from(presented ?? ''), Buffer.from(expected)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
