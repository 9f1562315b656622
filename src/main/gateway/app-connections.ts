import { type Dispatcher, Pool } from 'undici';
import { takesLong } from '../../modules/long-requests/index.js';
import type { ActiveProcess } from '../../protocols/failover/index.js';

/**
 * Connections of one kind of request never wait for another kind. In all far below 512, because a stopped process accepts that many
 * connections and lets later ones wait.
 */
const CONNECTIONS = { reads: 64, writes: 96, long: 96, streams: 64 } as const;
export type Lane = keyof typeof CONNECTIONS;

/** Below the 72 s for which the app keeps an idle connection. */
const KEEP_ALIVE_MS = 30_000;
const CONNECT_WITHIN_MS = 2_000;
const EVENT_STREAM = 'text/event-stream';

export function laneOf(isRead: boolean, path: string, accept: string | undefined): Lane {
  if (isRead) return accept?.includes(EVENT_STREAM) === true ? 'streams' : 'reads';
  return takesLong(path) ? 'long' : 'writes';
}

/** Kept-alive connections to one incarnation of the app. Deadlines are the caller's. */
export class AppConnections {
  private readonly pools: Readonly<Record<Lane, Pool>>;

  constructor(
    readonly process: ActiveProcess,
    /** Unique among the incarnations that this gateway has met. */
    readonly number: number,
  ) {
    const poolOf = (connections: number): Pool =>
      new Pool(process.url, {
        connections,
        pipelining: 1,
        connect: { timeout: CONNECT_WITHIN_MS },
        keepAliveTimeout: KEEP_ALIVE_MS,
        headersTimeout: 0,
        bodyTimeout: 0,
      });
    this.pools = {
      reads: poolOf(CONNECTIONS.reads),
      writes: poolOf(CONNECTIONS.writes),
      long: poolOf(CONNECTIONS.long),
      streams: poolOf(CONNECTIONS.streams),
    };
  }

  /** The handler learns all that follows, also that the request cannot be sent. */
  send(lane: Lane, request: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.pools[lane].dispatch(request, handler);
  }

  /** Ends all exchanges: their handlers get an error. */
  destroy(): void {
    for (const pool of Object.values(this.pools)) pool.destroy().catch(() => undefined);
  }
}
