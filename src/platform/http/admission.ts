import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError, type MaybePromise } from '../../kernel/index.js';
import { refusalOfKey, refusalOfPage } from './access.js';
import { type ApiKey, CLUSTER_HEADER, clientNetworkOf, COUNTED_HEADER, presentedKey, theKeyAmong } from './callers.js';
import { allowOrigin, answerPreflights } from './cors.js';
import { refusalOfHost, type ServedHosts } from './host.js';
import { rateLimited, RequestLimit, setQuotaHeaders, type QuotaUsage, type SharedQuota } from './request-limit.js';

export interface AdmissionOptions {
  readonly apiKeys: readonly ApiKey[];
  /** Host names served beside loopback, in lower case and without ports; every name where keys decide who may call. */
  readonly servedHosts: ServedHosts;
  /** The origins whose pages may read answers. */
  readonly corsOrigins: ReadonlySet<string>;
  /** The limit per caller; undefined means no limit. */
  readonly requestsPerMinute: number | undefined;
  /** Absent: this process counts alone. */
  readonly sharedQuota?: SharedQuota;
  /** Whether the sender of this header knows the cluster's secret. */
  readonly provesCluster: (authorization: string) => boolean;
  /** A monotonic clock. */
  readonly nowMs: () => number;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Exempt from rate limits, because this route decides whether the process counts as alive and ready. */
    isUncounted?: boolean;
  }
}

/** Admission for a program that only this machine may call, without limits. */
export const OPEN_TO_THIS_MACHINE: AdmissionOptions = {
  apiKeys: [],
  servedHosts: new Set(),
  corsOrigins: new Set(),
  requestsPerMinute: undefined,
  provesCluster: () => false,
  nowMs: () => 0,
};

/**
 * An unknown key counts as this many requests from its address. This slows guessing only to the request rate: a correct guess
 * counts for its own key, and is visible beyond the limit. The length of keys is what keeps them from being guessed.
 */
const WRONG_KEY_WEIGHT = 10;

/** Why a request is not admitted; undefined when it is, unless its route requires more. Never rejects. */
export type Admission = (request: FastifyRequest, reply: FastifyReply) => MaybePromise<AppError | undefined>;

/** Identifies and counts the caller before any refusal: a wrong key, unknown path or foreign host never avoids the limit. */
export function admissionOf(options: AdmissionOptions): Admission {
  const { apiKeys, corsOrigins, requestsPerMinute, nowMs, provesCluster, servedHosts, sharedQuota } = options;
  const keyOf = theKeyAmong(apiKeys);
  const limit = requestsPerMinute === undefined ? undefined : new RequestLimit(requestsPerMinute, nowMs);
  const refusalOfName = refusalOfHost(servedHosts);
  const addresseeRefusal = (request: FastifyRequest): AppError | undefined => {
    if (request.isFromCluster) return undefined;
    return request.headers[CLUSTER_HEADER] === undefined ? refusalOfName(request.raw) : ofOtherInstallation();
  };
  const judge = (usage: QuotaUsage, request: FastifyRequest, reply: FastifyReply): AppError | undefined => {
    setQuotaHeaders(reply, usage);
    return usage.isOver ? rateLimited(usage) : addresseeRefusal(request);
  };
  return (request, reply) => {
    if (corsOrigins.size > 0) allowOrigin(request, reply, corsOrigins);
    const { [CLUSTER_HEADER]: proof, authorization } = request.headers;
    if (typeof proof === 'string') request.isFromCluster = provesCluster(proof);
    else if (authorization !== undefined) request.isFromCluster = provesCluster(authorization);
    if (apiKeys.length > 0) {
      request.apiKey = keyOf(request);
      if (request.apiKey) request.caller = request.apiKey.name;
    }
    const weight = limit === undefined ? 0 : weightOf(request, apiKeys.length > 0);
    if (limit === undefined || weight === 0) return addresseeRefusal(request);
    const caller = request.apiKey ? `key ${request.apiKey.name}` : `from ${clientNetworkOf(request)}`;
    if (sharedQuota === undefined) return judge(limit.count(caller, weight), request, reply);
    const usage = limit.countShared(sharedQuota, caller, weight);
    return usage instanceof Promise
      ? usage.then((known) => judge(known, request, reply))
      : judge(usage, request, reply);
  };
}

/** Runs before every route, and for requests that match none. */
export function useAdmission(server: FastifyInstance, admission: Admission): void {
  server.decorateRequest('caller', 'anonymous');
  server.decorateRequest('apiKey', undefined);
  server.decorateRequest('isFromCluster', false);
  server.addHook('onRequest', (request, reply, done) => {
    const refusal = admission(request, reply);
    if (refusal instanceof Promise) refusal.then(done, done);
    else done(refusal);
  });
}

/** Runs after admission and checks that the caller has the permission it needs. */
export function useAccessControl(server: FastifyInstance, options: AdmissionOptions): void {
  const { apiKeys, corsOrigins, servedHosts } = options;
  if (corsOrigins.size > 0) answerPreflights(server, corsOrigins);
  server.addHook('onRequest', (request, _reply, done) => {
    done(apiKeys.length > 0 ? refusalOfKey(request) : refusalOfPage(request, servedHosts, corsOrigins));
  });
}

/** The sender forwards for another installation: a write that is done here would be missing there. */
function ofOtherInstallation(): AppError {
  const detail = `${CLUSTER_HEADER} does not prove the cluster secret of this installation: send the request to the sender's own app`;
  return new AppError('misdirected', detail, { retry: 'never' });
}

function weightOf(request: FastifyRequest, hasKeys: boolean): number {
  const { routeOptions, apiKey, isFromCluster, headers } = request;
  const { permission, isUncounted } = routeOptions.config;
  if (permission === 'cluster') return isFromCluster ? 0 : WRONG_KEY_WEIGHT;
  if (isFromCluster && headers[COUNTED_HEADER] !== undefined) return 0;
  const isUnknown = hasKeys && !apiKey;
  const isFree = isUncounted === true && (permission === 'open' || !isUnknown);
  if (isFree) return 0;
  return isUnknown && presentedKey(request) !== undefined ? WRONG_KEY_WEIGHT : 1;
}
