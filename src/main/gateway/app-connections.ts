import { hashesPassword, takesLong } from '../../modules/long-requests/index.js';
import { incarnationOf } from '../../platform/http/index.js';
import { monotonicMs } from '../../platform/process/index.js';
import type { ActiveProcess } from '../../protocols/failover/index.js';
import type { Sending } from './app-socket.js';
import { Lane } from './lane.js';

/**
 * Connections of one kind of request never wait for another kind. In all far below 512, because a stopped process accepts that many
 * connections and lets later ones wait.
 */
const CONNECTIONS = { reads: 64, writes: 96, long: 96, passwords: 64, streams: 64 } as const;
export type Kind = keyof typeof CONNECTIONS;

/** Below the 72 s for which the app keeps an idle connection. */
const KEEP_ALIVE_MS = 30_000;
const LOOK_FOR_IDLE_EVERY_MS = 5_000;
const EVENT_STREAM = 'text/event-stream';

export function kindOf(isRead: boolean, path: string, accept: string | undefined): Kind {
  if (isRead) return accept?.includes(EVENT_STREAM) === true ? 'streams' : 'reads';
  if (hashesPassword(path)) return 'passwords';
  return takesLong(path) ? 'long' : 'writes';
}

/** Kept-alive connections to one incarnation of the app. Deadlines are the caller's. */
export class AppConnections {
  /** Names this incarnation to itself. */
  readonly incarnation: string;
  /** Host and port, for requests that name none. */
  readonly host: string;
  private readonly lanes: Readonly<Record<Kind, Lane>>;
  private readonly looking: NodeJS.Timeout;

  constructor(
    readonly process: ActiveProcess,
    /** Unique among the incarnations that this gateway has met. */
    readonly number: number,
  ) {
    this.incarnation = incarnationOf(process);
    const { host, hostname, port } = new URL(process.url);
    this.host = host;
    const address = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
    const laneOf = (connections: number): Lane => new Lane(address, connections, monotonicMs);
    this.lanes = {
      reads: laneOf(CONNECTIONS.reads),
      writes: laneOf(CONNECTIONS.writes),
      long: laneOf(CONNECTIONS.long),
      passwords: laneOf(CONNECTIONS.passwords),
      streams: laneOf(CONNECTIONS.streams),
    };
    this.looking = setInterval(() => {
      for (const lane of Object.values(this.lanes)) lane.endIdle(KEEP_ALIVE_MS);
    }, LOOK_FOR_IDLE_EVERY_MS).unref();
  }

  /** The sending learns all that follows, also that the request cannot be sent. */
  send(kind: Kind, sending: Sending): void {
    this.lanes[kind].send(sending);
  }

  /** Ends all exchanges: their sendings get an error. */
  destroy(): void {
    clearInterval(this.looking);
    for (const lane of Object.values(this.lanes)) lane.close();
  }
}
