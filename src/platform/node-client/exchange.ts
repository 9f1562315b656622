import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { callError, lateError } from './call-errors.js';

type Controller = Dispatcher.DispatchController;

export interface AnswerHead {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: IncomingHttpHeaders;
}

/** What requests go over; its socket is absent until it has begun. */
export interface Connection {
  socket?: Socket;
}

/** Codes of an error that says that the other side has closed the connection. */
const CLOSED: ReadonlySet<string | undefined> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/**
 * One request over one connection. It ends once: answered, broken or late. One that ends before it is answered takes its
 * connection with it, so that a late answer is not taken for another's.
 */
abstract class Exchange implements Dispatcher.DispatchHandler {
  connection: Connection | undefined;
  protected controller: Controller | undefined;
  protected head: AnswerHead | undefined;
  private readonly timer: NodeJS.Timeout;
  private readBefore = 0;
  private isOver = false;

  constructor(
    timeoutMs: number,
    protected readonly reject: (error: Error) => void,
  ) {
    this.timer = setTimeout(() => {
      // An answer that came while this process was held up is read before the next turn.
      setImmediate(() => {
        if (this.isOver) return;
        const late = lateError(timeoutMs, this.isSent);
        this.giveUp(late);
        this.broken(late);
      });
    }, timeoutMs);
  }

  onRequestStart(controller: Controller): void {
    this.controller = controller;
    this.readBefore = this.connection?.socket?.bytesRead ?? 0;
    if (this.isOver) controller.abort(new Error('it was given up before there was a connection'));
  }

  onResponseStart(_controller: Controller, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    this.head = { status, headers };
    this.begin(this.head);
  }

  abstract onResponseData(controller: Controller, chunk: Buffer): void;

  onResponseEnd(): void {
    this.finish();
    if (this.head) this.complete(this.head);
  }

  onResponseError(_controller: Controller | undefined, error: Error): void {
    if (this.isOver) return;
    this.finish();
    this.broken(callError(error, this.isSent, this.isStale(error)));
  }

  protected begin(_head: AnswerHead): void {
    // Most need it only when the whole answer is there.
  }
  protected abstract complete(head: AnswerHead): void;

  protected broken(error: Error): void {
    this.reject(error);
  }

  protected giveUp(reason: Error): void {
    if (this.isOver) return;
    this.finish();
    if (this.controller) this.controller.abort(reason);
    else this.connection?.socket?.destroy();
  }

  /** Something moved: the time begins anew. */
  protected moved(): void {
    if (!this.isOver) this.timer.refresh();
  }

  private get isSent(): boolean {
    return this.controller !== undefined;
  }

  /** The connection has carried an answer before, and not a byte since this request. */
  private isStale(error: Error): boolean {
    if (this.head || this.readBefore === 0 || this.connection?.socket?.bytesRead !== this.readBefore) return false;
    return CLOSED.has((error as NodeJS.ErrnoException).code);
  }

  private finish(): void {
    this.isOver = true;
    clearTimeout(this.timer);
  }
}

/** The answer as a whole. */
export class WholeExchange extends Exchange {
  private readonly chunks: Buffer[] = [];

  constructor(
    timeoutMs: number,
    private readonly resolve: (answer: AnswerHead & { readonly body: Buffer }) => void,
    reject: (error: Error) => void,
  ) {
    super(timeoutMs, reject);
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    this.chunks.push(chunk);
  }

  protected complete({ status, headers }: AnswerHead): void {
    const [only] = this.chunks;
    this.resolve({ status, headers, body: this.chunks.length === 1 && only ? only : Buffer.concat(this.chunks) });
  }
}

/** The answer as it comes; broken off when nothing moves for so long. */
export class StreamedExchange extends Exchange {
  private readonly chunks = new Readable({
    read: () => {
      this.moved();
      this.controller?.resume();
    },
    destroy: (error, done) => {
      this.giveUp(error ?? new Error('nobody reads the answer'));
      done(error);
    },
  });

  constructor(
    idleMs: number,
    private readonly resolve: (answer: AnswerHead & { readonly chunks: Readable }) => void,
    reject: (error: Error) => void,
  ) {
    super(idleMs, reject);
  }

  /** The same chunks, each of which is a move. */
  async *sending(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      this.moved();
      yield chunk;
    }
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.moved();
    if (!this.chunks.push(chunk)) controller.pause();
  }

  protected override begin(head: AnswerHead): void {
    this.resolve({ ...head, chunks: this.chunks });
  }

  protected complete(): void {
    this.chunks.push(null);
  }

  protected override broken(error: Error): void {
    if (this.head) this.chunks.destroy(error);
    else this.reject(error);
  }
}
