import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { AppConnections } from './app-connections.js';
import type { ClientSide } from './client-side.js';
import { type AnswerHead, HELD_ANSWER_BYTES, isPassedThrough } from './returned-answer.js';

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
  failed(attempt: Attempt, error: Error): void;
}

const FIRST_FINAL_STATUS = 200;
const ABORTED = new Error('the gateway does not wait for this answer any more');

/** One sending of a request to one process, and the answer as far as it has come. */
export class Attempt implements Dispatcher.DispatchHandler {
  head: AnswerHead | undefined;
  readonly chunks: Buffer[] = [];
  length = 0;
  private isStreaming = false;
  private controller: Dispatcher.DispatchController | undefined;

  constructor(
    readonly app: AppConnections,
    private readonly client: ClientSide,
    private readonly events: AttemptEvents,
  ) {}

  abort(): void {
    this.controller?.abort(ABORTED);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.events.isCurrent(this)) this.events.sent();
    else controller.abort(ABORTED);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < FIRST_FINAL_STATUS || !this.events.isCurrent(this)) return;
    this.head = { status, headers, raw: controller.rawHeaders };
    if (isPassedThrough(this.head)) this.passThrough(this.head);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.head || !this.events.isCurrent(this)) return;
    if (this.isStreaming) {
      this.pass(controller, chunk);
      return;
    }
    this.chunks.push(chunk);
    this.length += chunk.length;
    if (this.length <= HELD_ANSWER_BYTES) return;
    this.passThrough(this.head);
    for (const held of this.chunks.splice(0)) this.pass(controller, held);
  }

  onResponseEnd(): void {
    if (!this.head || !this.events.isCurrent(this)) return;
    if (this.isStreaming) {
      this.client.end();
      this.events.answerEnds();
    } else {
      this.events.answered(this);
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.events.isCurrent(this)) this.events.failed(this, error);
  }

  private passThrough(head: AnswerHead): void {
    this.isStreaming = true;
    this.events.answerBegins();
    this.client.begin(head);
  }

  private pass(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const goOn = (): void => {
      controller.resume();
    };
    if (!this.client.write(chunk, goOn)) controller.pause();
  }
}
