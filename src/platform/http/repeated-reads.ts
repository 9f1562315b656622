import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { AdmissionOptions } from './admission.js';
import { type PreparedBody, type RememberedRead, writePrepared } from './answers.js';
import { refusalOfHost } from './host.js';

/** What metrics and log tell of an answered request. */
export interface AnsweredRequest {
  readonly id: string;
  readonly caller: string;
  readonly method: string;
  readonly url: string;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Tells metrics and log of an answer of this route that Fastify has not seen. */
    observeAnswer?: (request: AnsweredRequest, status: number, elapsedMs: number) => void;
  }
  interface FastifyInstance {
    readonly repeatedReads: RepeatedReads;
  }
}

/** The read asked for longest ago is forgotten first, and only takes the ordinary way again. */
const MAX_READS = 1_000;

/**
 * The headers, as browsers and tools write them, of which no rule of a server makes anything. A request with any other header, or
 * another spelling, takes the ordinary way, so a rule that comes to look at a new header need not know of this list.
 */
const WITHOUT_MEANING: ReadonlySet<string> = new Set(
  [
    ...[
      'Host',
      'Connection',
      'User-Agent',
      'Accept',
      'Accept-Encoding',
      'Accept-Language',
      'Referer',
      'DNT',
      'Priority',
    ],
    ...['Sec-Fetch-Dest', 'Sec-Fetch-Mode', 'Sec-Fetch-Site', 'Sec-Fetch-User', 'Upgrade-Insecure-Requests'],
    ...['sec-ch-ua', 'sec-ch-ua-mobile', 'sec-ch-ua-platform'],
  ].flatMap((name) => [name, name.toLowerCase()]),
);

interface KnownRead {
  readonly remembered: RememberedRead;
  readonly observeAnswer: NonNullable<FastifyRequest['routeOptions']['config']['observeAnswer']> | undefined;
}

/**
 * Answers reads that were answered before, from memory, before Fastify sees them: what Fastify does for a request costs more than all
 * the rest of such a read. It answers only requests that every rule treats like the one before: the same target, a host that is
 * served, no header that any rule looks at, and no keys, limits or origins configured. All others take the ordinary way.
 */
export class RepeatedReads {
  private readonly reads = new LRUCache<string, KnownRead>({ max: MAX_READS });
  private readonly isPossible: boolean;
  private readonly refusalOfName: ReturnType<typeof refusalOfHost>;
  private isStopping = false;

  constructor(
    { apiKeys, corsOrigins, requestsPerMinute, servedHosts }: AdmissionOptions,
    private readonly newRequestId: () => string,
  ) {
    this.isPossible = apiKeys.length === 0 && corsOrigins.size === 0 && requestsPerMinute === undefined;
    this.refusalOfName = refusalOfHost(servedHosts);
  }

  stop(): void {
    this.isStopping = true;
  }

  /** To call when a read was answered. `readerOf` makes what answers the next one to the same target. */
  learn({ raw, routeOptions }: FastifyRequest, readerOf: () => RememberedRead): void {
    const target = raw.url ?? '';
    if (!this.isPossible || this.reads.has(target)) return;
    this.reads.set(target, { remembered: readerOf(), observeAnswer: routeOptions.config.observeAnswer });
  }

  /** Answers the request, or returns false and does nothing. */
  answer(request: IncomingMessage, response: ServerResponse): boolean {
    const { method, url = '' } = request;
    if (method !== 'GET' || this.isStopping) return false;
    const known = this.reads.get(url);
    if (known === undefined || !isPlain(request) || this.refusalOfName(request) !== undefined) return false;
    const prepared = rememberedNow(known);
    if (prepared === undefined) return false;
    const begunMs = performance.now();
    const id = this.newRequestId();
    const { observeAnswer } = known;
    if (observeAnswer !== undefined) {
      response.on('finish', () => {
        observeAnswer({ id, caller: 'anonymous', method, url }, response.statusCode, performance.now() - begunMs);
      });
    }
    writePrepared(response, prepared, 'memory', id);
    return true;
  }
}

/** The repeated reads of this server come before Fastify's own listener. Call it before any other listener is added. */
export function useRepeatedReads(server: FastifyInstance, options: AdmissionOptions, newRequestId: () => string): void {
  const repeated = new RepeatedReads(options, newRequestId);
  server.decorate('repeatedReads', repeated as never);
  const listeners = server.server.listeners('request') as RequestListener[];
  server.server.removeAllListeners('request');
  server.server.on('request', (request, response) => {
    if (repeated.answer(request, response)) return;
    for (const listener of listeners) listener.call(server.server, request, response);
  });
  server.addHook('preClose', (done) => {
    repeated.stop();
    done();
  });
}

/** An error, such as that of a process that lost its database, meets the ordinary way again, which answers it. */
function rememberedNow({ remembered }: KnownRead): PreparedBody | undefined {
  try {
    return remembered();
  } catch {
    return undefined;
  }
}

function isPlain({ httpVersion, rawHeaders }: IncomingMessage): boolean {
  if (httpVersion !== '1.1') return false;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (!WITHOUT_MEANING.has(rawHeaders[index] ?? '')) return false;
  }
  return true;
}
