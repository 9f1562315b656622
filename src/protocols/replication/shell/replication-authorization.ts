import { timingSafeEqual } from 'node:crypto';
import { deriveKey } from '../../../platform/secrets/index.js';

/** The `Authorization` header that a process with the cluster's secret sends to a replica. */
export function replicationAuthorization(clusterSecret: string): string {
  return `Bearer ${Buffer.from(deriveKey(clusterSecret, 'replication')).toString('base64url')}`;
}

/** The time of the comparison does not reveal where the two differ. */
export function isAuthorized(presented: string | undefined, expected: string): boolean {
  const [given, wanted] = [Buffer.from(presented ?? ''), Buffer.from(expected)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
