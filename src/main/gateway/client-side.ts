import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AppError } from '../../kernel/index.js';
import { originHeaders, problemHeaders, problemOf, SECURITY_HEADERS } from '../../platform/http/index.js';
import type { AnswerHead } from './answer-head.js';
import { returnedHeaders } from './returned-answer.js';

/** The client's end of one exchange. */
export class ClientSide {
  constructor(
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    readonly requestId: string,
    /** Pages of these origins may read refusals. */
    private readonly corsOrigins: ReadonlySet<string>,
  ) {}

  get isGone(): boolean {
    return this.request.socket.destroyed;
  }

  /** Called at most once, when the client is gone or has its answer. */
  whenClosed(task: () => void): void {
    this.response.once('close', task);
  }

  send(head: AnswerHead, chunks: readonly Buffer[], length: number): void {
    if (this.isGone) return;
    const isHead = this.request.method === 'HEAD';
    this.response.writeHead(head.status, returnedHeaders(head, isHead ? undefined : length) as string[]);
    const [only] = chunks;
    this.response.end(chunks.length > 1 ? Buffer.concat(chunks, length) : only);
  }

  begin(head: AnswerHead): void {
    if (this.isGone) return;
    this.response.writeHead(head.status, returnedHeaders(head) as string[]);
    this.response.flushHeaders();
  }

  /** False when the client should be waited for, until `drained`. */
  write(chunk: Buffer, drained?: () => void): boolean {
    if (this.isGone || this.response.write(chunk)) return true;
    if (drained !== undefined) this.response.once('drain', drained);
    return false;
  }

  end(): void {
    this.response.end();
  }

  /** `headers`: more than those of every refusal. */
  refuse(error: AppError, headers: Readonly<Record<string, string>> = {}): void {
    if (this.isGone || this.response.headersSent) return;
    const problem = problemOf(error, this.request.url ?? '/');
    const body = Buffer.from(JSON.stringify(problem));
    const ofOrigin = originHeaders(this.request.headers.origin, this.corsOrigins);
    const lines = { ...problemHeaders(error), ...ofOrigin, ...headers, 'x-request-id': this.requestId };
    const length = ['content-length', String(body.length)];
    this.response.writeHead(problem.status, [...Object.entries(lines).flat(), ...SECURITY_HEADERS, ...length]);
    this.response.end(this.request.method === 'HEAD' ? undefined : body);
  }

  /** The client sees that the rest of its answer is missing. */
  cutOff(): void {
    this.request.socket.destroy();
  }
}
