import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import type { Role } from '../../kernel/index.js';
import { networkOf } from './key-owner.js';

export interface ApiKey {
  readonly name: string;
  readonly role: Role;
  readonly key: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Name of the API key, or `anonymous` where none is known. */
    caller: string;
    /** The one that it showed; undefined when it showed none, or none that is known. */
    apiKey: ApiKey | undefined;
    /** Whether a process of this installation sent it, which the cluster's secret proves. */
    isFromCluster: boolean;
  }
}

/** How processes of one installation prove to each other who they are, where `Authorization` is the client's. */
export const CLUSTER_HEADER = 'x-cluster-authorization';
const FORWARDED_HEADER = 'x-forwarded-for';

/** Finds the key that a request shows, in a time that tells nothing of the keys. */
export function theKeyAmong(keys: readonly ApiKey[]): (request: FastifyRequest) => ApiKey | undefined {
  const known = keys.map((key) => ({ key, digest: digest(key.key) }));
  return ({ headers }) => {
    const presented = presentedKey(headers);
    if (presented === undefined) return undefined;
    const presentedDigest = digest(presented);
    return known.filter((one) => timingSafeEqual(one.digest, presentedDigest))[0]?.key;
  };
}

/** What stands where a key belongs; undefined when nothing does. */
export function presentedKey(headers: IncomingHttpHeaders): string | undefined {
  const header = headers['x-api-key'];
  if (typeof header === 'string') return header;
  return /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? '')?.[1];
}

/** Where a request comes from, as one place to count by. */
export function clientNetworkOf(request: FastifyRequest): string {
  return networkOf(addressOf(request));
}

/** What goes with a request that is passed on, beside the proof of who passes it on. */
export function forwardedFor(request: FastifyRequest): Readonly<Record<string, string>> {
  return { [FORWARDED_HEADER]: addressOf(request) };
}

/** What a request says itself of where it comes from counts only when a process of this installation passed it on. */
export function addressOf({ isFromCluster, headers, ip }: FastifyRequest): string {
  const forwarded = isFromCluster ? headers[FORWARDED_HEADER] : undefined;
  return typeof forwarded === 'string' && isIP(forwarded) !== 0 ? forwarded : ip;
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
