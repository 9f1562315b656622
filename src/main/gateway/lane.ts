import { AppSocket, type AppSocketEvents, type Sending } from './app-socket.js';

/** The kept-alive connections of one kind of request. What finds all of them taken waits for one, first come, first served. */
export class Lane implements AppSocketEvents {
  private readonly all = new Set<AppSocket>();
  /** The one that became free last is used first. */
  private readonly idle: AppSocket[] = [];
  private readonly waiting: Sending[] = [];
  private isClosed = false;

  constructor(
    private readonly address: { readonly host: string; readonly port: number },
    private readonly maxConnections: number,
    private readonly nowMs: () => number,
  ) {}

  send(sending: Sending): void {
    const socket = this.idle.pop();
    if (this.isClosed) sending.onError(closed());
    else if (socket !== undefined) socket.send(sending);
    else if (this.all.size < this.maxConnections) this.open(sending);
    else this.waiting.push(sending);
  }

  free(socket: AppSocket): void {
    const next = this.nextWaiting();
    if (next !== undefined) {
      socket.send(next);
      return;
    }
    socket.freeSinceMs = this.nowMs();
    this.idle.push(socket);
  }

  closed(socket: AppSocket): void {
    this.all.delete(socket);
    const place = this.idle.indexOf(socket);
    if (place >= 0) this.idle.splice(place, 1);
    const next = this.isClosed ? undefined : this.nextWaiting();
    if (next !== undefined) this.open(next);
  }

  /** Ends the connections that have been free for that long. To be called often. */
  endIdle(forMs: number): void {
    const until = this.nowMs() - forMs;
    for (let [oldest] = this.idle; oldest !== undefined && oldest.freeSinceMs < until; [oldest] = this.idle)
      oldest.close();
  }

  /** All that is under way or waits gets an error, and so does what comes later. */
  close(): void {
    this.isClosed = true;
    for (const socket of [...this.all]) socket.close();
    for (const sending of this.waiting.splice(0)) sending.onError(closed());
  }

  private open(first: Sending): void {
    this.all.add(new AppSocket(this.address, first, this));
  }

  private nextWaiting(): Sending | undefined {
    for (;;) {
      const next = this.waiting.shift();
      if (next === undefined || next.isWanted) return next;
    }
  }
}

function closed(): Error {
  return new Error('the process is not used any more');
}
