import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AppError } from '../../kernel/index.js';
import { refusalOfKey, refusalOfPage } from './access.js';
import { type ApiKey, CLUSTER_HEADER, clientNetworkOf, presentedKey, theKeyAmong } from './callers.js';
import { allowOrigin, answerPreflights } from './cors.js';
import { refusalOfHost, type ServedHosts } from './host.js';
import { rateLimited, RequestLimit, setQuotaHeaders } from './request-limit.js';

export interface AdmissionOptions {
  readonly apiKeys: readonly ApiKey[];
  /** Beside loopback, in lower case and without ports; every name where keys decide who may call. */
  readonly servedHosts: ServedHosts;
  /** Whose pages may read answers. */
  readonly corsOrigins: ReadonlySet<string>;
  /** Per caller; undefined for no limit. */
  readonly requestsPerMinute: number | undefined;
  /** Whether a process shows by this that it knows the cluster's secret. */
  readonly provesCluster: (authorization: string) => boolean;
  /** Never goes back. */
  readonly nowMs: () => number;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Never limited for who may call it: it decides whether this process is taken for alive and ready. */
    isUncounted?: boolean;
  }
}

/** For a program that only this machine may call, as it likes. */
export const OPEN_TO_THIS_MACHINE: AdmissionOptions = {
  apiKeys: [],
  servedHosts: new Set(),
  corsOrigins: new Set(),
  requestsPerMinute: undefined,
  provesCluster: () => false,
  nowMs: () => 0,
};

/**
 * A key that is not known counts like so many requests, for the place it comes from. That slows guessing down no further
 * than to the pace of asking: a right guess counts for its own key, and shows also beyond the limit. What keeps keys from
 * being found by trying is their length.
 */
const WRONG_KEY_WEIGHT = 10;

/** Why a request is not let in; undefined when it is, as far as its route does not ask for more. */
export type Admission = (request: FastifyRequest, reply: FastifyReply) => AppError | undefined;

/**
 * Finds out who calls, and counts it before anything is refused: neither a wrong key, nor an unknown path, nor a foreign
 * name is a way around the limit.
 */
export function admissionOf(options: AdmissionOptions): Admission {
  const { apiKeys, corsOrigins, requestsPerMinute, nowMs, provesCluster, servedHosts } = options;
  const keyOf = theKeyAmong(apiKeys);
  const limit = requestsPerMinute === undefined ? undefined : new RequestLimit(requestsPerMinute, nowMs);
  const hostRefusal = refusalOfHost(servedHosts);
  return (request, reply) => {
    if (corsOrigins.size > 0) allowOrigin(request, reply, corsOrigins);
    const { [CLUSTER_HEADER]: proof, authorization } = request.headers;
    if (typeof proof === 'string') request.isFromCluster = provesCluster(proof);
    else if (authorization !== undefined) request.isFromCluster = provesCluster(authorization);
    if (apiKeys.length > 0) {
      request.apiKey = keyOf(request);
      if (request.apiKey) request.caller = request.apiKey.name;
    }
    const limited = limit && countIn(limit, request, reply, apiKeys.length > 0);
    return limited ?? (request.isFromCluster ? undefined : hostRefusal(request.raw));
  };
}

/** Before every route, and where there is none. */
export function useAdmission(server: FastifyInstance, admission: Admission): void {
  server.decorateRequest('caller', 'anonymous');
  server.decorateRequest('apiKey', undefined);
  server.decorateRequest('isFromCluster', false);
  server.addHook('onRequest', (request, reply, done) => {
    done(admission(request, reply));
  });
}

/** After it: whether the caller may do what it asks for. */
export function useAccessControl(server: FastifyInstance, options: AdmissionOptions): void {
  const { apiKeys, corsOrigins, servedHosts } = options;
  if (corsOrigins.size > 0) answerPreflights(server, corsOrigins);
  server.addHook('onRequest', (request, _reply, done) => {
    done(apiKeys.length > 0 ? refusalOfKey(request) : refusalOfPage(request, servedHosts, corsOrigins));
  });
}

function weightOf({ routeOptions, apiKey, isFromCluster, headers }: FastifyRequest, hasKeys: boolean): number {
  const { permission, isUncounted } = routeOptions.config;
  if (permission === 'cluster') return isFromCluster ? 0 : WRONG_KEY_WEIGHT;
  const isUnknown = hasKeys && !apiKey;
  const isFree = isUncounted === true && (permission === 'open' || !isUnknown);
  if (isFree) return 0;
  return isUnknown && presentedKey(headers) !== undefined ? WRONG_KEY_WEIGHT : 1;
}

function countIn(
  limit: RequestLimit,
  request: FastifyRequest,
  reply: FastifyReply,
  hasKeys: boolean,
): AppError | undefined {
  const weight = weightOf(request, hasKeys);
  if (weight === 0) return undefined;
  const usage = limit.count(request.apiKey ? `key ${request.apiKey.name}` : `from ${clientNetworkOf(request)}`, weight);
  setQuotaHeaders(reply, usage);
  return usage.isOver ? rateLimited(usage) : undefined;
}
