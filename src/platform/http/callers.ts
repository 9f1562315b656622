import { createHash, timingSafeEqual } from 'node:crypto';
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
  interface FastifyContextConfig {
    /** `Authorization` carries the token of a user here, so that an API key comes as `X-Api-Key` alone. */
    takesUserToken?: true;
  }
  interface FastifyRequest {
    /** The name of the API key, or `anonymous` without a known key. */
    caller: string;
    /** The API key that the request presented; undefined when it presented none, or an unknown one. */
    apiKey: ApiKey | undefined;
    /** Whether a process of this installation sent the request, which the cluster's secret proves. */
    isFromCluster: boolean;
  }
}

/** Processes of one installation authenticate to each other with this header, because `Authorization` belongs to the client. */
export const CLUSTER_HEADER = 'x-cluster-authorization';
/** Says that the sender, a process of this installation, has counted the request against the limit of its caller. */
export const COUNTED_HEADER = 'x-request-counted';
const FORWARDED_HEADER = 'x-forwarded-for';

/** A request, or what a process has of one that it does not route itself. */
type Presenting = Pick<FastifyRequest, 'headers'> & Partial<Pick<FastifyRequest, 'routeOptions'>>;

/** Finds the key that a request presents, in a time that reveals nothing about the keys. */
export function theKeyAmong(keys: readonly ApiKey[]): (request: Presenting) => ApiKey | undefined {
  const known = keys.map((key) => ({ key, digest: digest(key.key) }));
  return (request) => {
    const presented = presentedKey(request);
    if (presented === undefined) return undefined;
    const presentedDigest = digest(presented);
    return known.filter((one) => timingSafeEqual(one.digest, presentedDigest))[0]?.key;
  };
}

/** The presented credential, valid or not; undefined when the request has none. */
export function presentedKey({ headers, routeOptions }: Presenting): string | undefined {
  const header = headers['x-api-key'];
  if (typeof header === 'string') return header;
  if (routeOptions?.config.takesUserToken === true) return undefined;
  return /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? '')?.[1];
}

/** The network that a request comes from, as one unit for counting. */
export function clientNetworkOf(request: FastifyRequest): string {
  return networkOf(addressOf(request));
}

/** Headers for a forwarded request, beside the proof of which process forwards it. */
export function forwardedFor(request: FastifyRequest): Readonly<Record<string, string>> {
  return { [FORWARDED_HEADER]: addressOf(request) };
}

/** The forwarded address counts only when a process of this installation forwarded the request. */
export function addressOf({ isFromCluster, headers, ip }: FastifyRequest): string {
  const forwarded = isFromCluster ? headers[FORWARDED_HEADER] : undefined;
  return typeof forwarded === 'string' && isIP(forwarded) !== 0 ? forwarded : ip;
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
