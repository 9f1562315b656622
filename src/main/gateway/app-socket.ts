import { connect, type Socket } from 'node:net';
import type { AnswerHead } from './answer-head.js';
import { type AnswerParts, AnswerReader } from './answer-reader.js';

/** One sending of a request, and what becomes of it. */
export interface Sending extends AnswerParts {
  /** False when nobody waits for it any more; it is not sent then. */
  readonly isWanted: boolean;
  readonly message: Message;
  /** Its bytes leave now. */
  onSent(socket: AppSocket): void;
  /** The connection could not be made, or broke before the answer ended. Nothing follows. */
  onError(error: Error): void;
}

/** A request as it goes over the connection. */
export interface Message {
  readonly isHead: boolean;
  /** Up to the empty line, which it includes; each character is one byte. */
  readonly head: string;
  readonly body: Buffer | undefined;
}

export interface AppSocketEvents {
  /** The answer has ended and the connection may take another request. */
  free(socket: AppSocket): void;
  closed(socket: AppSocket): void;
}

const CONNECT_WITHIN_MS = 2_000;
/** Up to here head and body leave in one piece, which costs less than two. */
const COPIED_BYTES = 16 * 1024;
/** All connections read into this memory, one at a time: what is kept is copied. */
const READ_INTO = Buffer.allocUnsafeSlow(64 * 1024);

/** One kept-alive connection to the app. It has at most one request at a time. */
export class AppSocket implements AnswerParts {
  private readonly socket: Socket;
  private readonly reader = new AnswerReader();
  private sending: Sending | undefined;
  private error = new Error('the app closed the connection');
  private isClosed = false;
  /** When it became free. */
  freeSinceMs = 0;

  /** `first` is sent as soon as the connection is made. */
  constructor(
    { host, port }: { readonly host: string; readonly port: number },
    first: Sending,
    private readonly events: AppSocketEvents,
  ) {
    this.sending = first;
    const onread = { buffer: READ_INTO, callback: (count: number) => this.read(count) };
    this.socket = connect({ host, port, noDelay: true, onread });
    const late = setTimeout(() => {
      this.fail(new Error(`no connection within ${String(CONNECT_WITHIN_MS)} ms`));
    }, CONNECT_WITHIN_MS);
    this.socket
      .once('connect', () => {
        clearTimeout(late);
        if (this.sending?.isWanted === true) this.write(this.sending);
        else {
          this.sending = undefined;
          this.events.free(this);
        }
      })
      .once('end', () => {
        this.close();
      })
      .on('error', (error) => {
        this.error = error;
      })
      .once('close', () => {
        clearTimeout(late);
        this.close();
      });
  }

  /** Only while it is free. */
  send(sending: Sending): void {
    this.sending = sending;
    this.write(sending);
  }

  /** Nobody waits for the answer any more. */
  abort(sending: Sending): void {
    if (this.sending !== sending) return;
    this.sending = undefined;
    this.close();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Ends the connection; a request under way gets an error. */
  close(): void {
    this.fail(this.error);
  }

  onHead(head: AnswerHead): void {
    this.sending?.onHead(head);
  }

  onData(bytes: Buffer): void {
    this.sending?.onData(bytes);
  }

  onEnd(): void {
    const { sending } = this;
    this.sending = undefined;
    // The client may not have room yet for what it got last; the next request is not to wait for it.
    if (this.socket.isPaused()) this.socket.resume();
    sending?.onEnd();
  }

  private write(sending: Sending): void {
    const { isHead, head, body } = sending.message;
    this.reader.expect(this, isHead);
    sending.onSent(this);
    if (body === undefined) this.socket.write(head, 'latin1');
    else if (body.length <= COPIED_BYTES) {
      const whole = Buffer.allocUnsafe(head.length + body.length);
      whole.write(head, 'latin1');
      body.copy(whole, head.length);
      this.socket.write(whole);
    } else {
      this.socket.cork();
      this.socket.write(head, 'latin1');
      this.socket.write(body);
      this.socket.uncork();
    }
  }

  /** The connection is free only when all bytes are read: bytes after an answer would be taken for the next one. */
  private read(count: number): boolean {
    try {
      this.reader.take(READ_INTO.subarray(0, count));
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
      return true;
    }
    if (this.sending !== undefined || this.isClosed) return true;
    if (this.reader.mayGoOn) this.events.free(this);
    else this.close();
    return true;
  }

  private fail(error: Error): void {
    const { sending } = this;
    this.sending = undefined;
    if (!this.isClosed) {
      this.isClosed = true;
      this.socket.destroy();
      this.events.closed(this);
    }
    sending?.onError(error);
  }
}
