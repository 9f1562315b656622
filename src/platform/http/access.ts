import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../../kernel/index.js';

export type Role = 'read' | 'write' | 'operator';

export interface ApiKey {
  readonly name: string;
  readonly role: Role;
  readonly key: string;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The least role that may call the route; without it GET needs `read` and everything else `write`. */
    role?: Role | 'open';
  }
  interface FastifyRequest {
    /** Name of the API key, or `anonymous` where no keys are set. */
    caller: string;
  }
}

const LOOPBACK_ORIGIN = /^https?:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;
const RANK: Readonly<Record<Role, number>> = { read: 1, write: 2, operator: 3 };
const READING_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

export function isReading(method: string): boolean {
  return READING_METHODS.has(method);
}

/**
 * With keys: `X-Api-Key` or `Authorization: Bearer` decides who calls and what they may do. Without keys everyone on
 * this machine may do everything, except a page of another web site that makes the user's browser send a write.
 */
export function useAccessControl(fastify: FastifyInstance, keys: readonly ApiKey[]): void {
  fastify.decorateRequest('caller', 'anonymous');
  if (keys.length === 0) {
    fastify.addHook('onRequest', (request, _reply, done) => {
      const isForged = !isReading(request.method) && isFromAnotherSite(request);
      done(isForged ? forbidden('writes from pages of other web sites are refused') : undefined);
    });
    return;
  }
  const known = keys.map((key) => ({ ...key, digest: digest(key.key) }));
  fastify.addHook('onRequest', (request, _reply, done) => {
    const needed = request.routeOptions.config.role ?? (isReading(request.method) ? 'read' : 'write');
    if (needed === 'open') {
      done();
      return;
    }
    const presented = presentedKey(request);
    const presentedDigest = presented === undefined ? undefined : digest(presented);
    const found = presentedDigest && known.filter((key) => timingSafeEqual(key.digest, presentedDigest))[0];
    if (!found) {
      done(new AppError('unauthorized', 'send a known key as X-Api-Key or Authorization: Bearer', { retry: 'never' }));
      return;
    }
    request.caller = found.name;
    done(
      RANK[found.role] < RANK[needed]
        ? forbidden(`this needs the role ${needed}; the key has ${found.role}`)
        : undefined,
    );
  });
}

/** A page that is served under another name, also one whose name was made to lead to this machine (DNS rebinding). */
function isFromAnotherSite({ headers }: FastifyRequest): boolean {
  if (headers['sec-fetch-site'] === 'cross-site') return true;
  return headers.origin !== undefined && !LOOPBACK_ORIGIN.test(headers.origin);
}

function presentedKey(request: FastifyRequest): string | undefined {
  const header = request.headers['x-api-key'];
  if (typeof header === 'string') return header;
  return /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

function forbidden(detail: string): AppError {
  return new AppError('forbidden', detail, { retry: 'never' });
}
