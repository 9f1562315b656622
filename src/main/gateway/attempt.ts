import type { AnswerHead } from './answer-head.js';
import type { AppConnections } from './app-connections.js';
import type { AppSocket, Message, Sending } from './app-socket.js';
import type { ClientSide } from './client-side.js';
import { HELD_ANSWER_BYTES, isPassedThrough } from './returned-answer.js';

/** What one sending tells the exchange that it belongs to. */
export interface AttemptEvents {
  /** False when nobody waits for this attempt any more. */
  isCurrent(attempt: Attempt): boolean;
  /** Bytes of the request may leave from now on. */
  sent(): void;
  /** From now on the client gets bytes. */
  answerBegins(): void;
  /** The client has got all of it. */
  answerEnds(): void;
  /** The whole answer is here, and the client has got nothing of it. */
  answered(attempt: Attempt): void;
  failed(attempt: Attempt): void;
}

/** One sending of a request to one process, and the answer as far as it has come. */
export class Attempt implements Sending {
  head: AnswerHead | undefined;
  readonly chunks: Buffer[] = [];
  length = 0;
  private isStreaming = false;
  /** The client is waited for. */
  private isPaused = false;
  /** Undefined again when the answer has ended: the connection belongs to the next request then. */
  private socket: AppSocket | undefined;

  constructor(
    readonly app: AppConnections,
    readonly message: Message,
    private readonly client: ClientSide,
    private readonly events: AttemptEvents,
  ) {}

  get isWanted(): boolean {
    return this.events.isCurrent(this);
  }

  abort(): void {
    this.socket?.abort(this);
  }

  onSent(socket: AppSocket): void {
    this.socket = socket;
    this.events.sent();
  }

  onHead(head: AnswerHead): void {
    if (!this.isWanted) return;
    this.head = head;
    if (isPassedThrough(head)) this.passThrough(head);
  }

  onData(chunk: Buffer): void {
    if (!this.head || !this.isWanted) return;
    if (this.isStreaming) {
      this.pass(chunk);
      return;
    }
    this.chunks.push(chunk);
    this.length += chunk.length;
    if (this.length <= HELD_ANSWER_BYTES) return;
    this.passThrough(this.head);
    for (const held of this.chunks.splice(0)) this.pass(held);
  }

  onEnd(): void {
    this.socket = undefined;
    if (!this.isWanted) return;
    if (this.isStreaming) {
      this.client.end();
      this.events.answerEnds();
    } else {
      this.events.answered(this);
    }
  }

  onError(): void {
    this.socket = undefined;
    if (this.isWanted) this.events.failed(this);
  }

  private passThrough(head: AnswerHead): void {
    this.isStreaming = true;
    this.events.answerBegins();
    this.client.begin(head);
  }

  /** More chunks may come from bytes that were read before the pause. */
  private pass(chunk: Buffer): void {
    if (this.isPaused) {
      this.client.write(chunk);
      return;
    }
    this.isPaused = !this.client.write(chunk, () => {
      this.isPaused = false;
      this.socket?.resume();
    });
    if (this.isPaused) this.socket?.pause();
  }
}
