/** Reads answers of the app (RFC 9112) from the bytes of one connection, one answer at a time. */
import { AppError } from '../../kernel/index.js';
import { type AnswerHead, headOf } from './answer-head.js';

/** What one answer consists of, in this order. */
export interface AnswerParts {
  onHead(head: AnswerHead): void;
  /** The bytes belong to the receiver. */
  onData(bytes: Buffer): void;
  onEnd(): void;
}

/** Far above what the app sends. */
const MAX_HEAD_BYTES = 64 * 1024;
const MAX_LINE_BYTES = 1_024;
const HEAD_END = Buffer.from('\r\n\r\n');
const FIRST_FINAL_STATUS = 200;
const LINE_END = 10;
const NO_BODY: ReadonlySet<number> = new Set([204, 304]);
const SIZE = /^[\da-f]{1,12}(?=[\t ]*(?:;|$))/i;
const NOTHING = Buffer.alloc(0);

type Phase = 'none' | 'head' | 'body' | 'size' | 'chunk' | 'after-chunk' | 'trailer';

export class AnswerReader {
  private phase: Phase = 'none';
  private parts: AnswerParts | undefined;
  private isHead = false;
  /** The beginning of a head or of a line whose end has not come. */
  private held: Buffer = NOTHING;
  /** Bytes of the body, or of the chunk, that are still to come. */
  private leftBytes = 0;
  /** Whether the connection may carry another request after this answer. */
  mayGoOn = true;

  /** The next bytes answer this request. `isHead`: its method is HEAD. */
  expect(parts: AnswerParts, isHead: boolean): void {
    this.parts = parts;
    this.isHead = isHead;
    this.phase = 'head';
    this.held = NOTHING;
  }

  /**
   * Takes bytes as they come; they may be overwritten afterwards. Throws `internal` when they are no answer: nothing that follows can
   * be understood.
   */
  take(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      const taken = this.step(bytes, at);
      at += taken;
    }
  }

  /** How many of the bytes from `at` on the present phase has used; at least one, or the phase has changed. */
  private step(bytes: Buffer, at: number): number {
    switch (this.phase) {
      case 'head':
        return this.takeHead(bytes, at);
      case 'body':
      case 'chunk':
        return this.takeBody(bytes, at);
      case 'size':
      case 'after-chunk':
      case 'trailer':
        return this.takeLine(bytes, at);
      case 'none':
        throw notUnderstood('it sent bytes that answer no request');
    }
  }

  private takeHead(bytes: Buffer, at: number): number {
    const before = this.held.length;
    const all = before === 0 ? bytes : Buffer.concat([this.held, bytes.subarray(at)]);
    const from = before === 0 ? at : 0;
    const end = all.indexOf(HEAD_END, from);
    if (end < 0) {
      if (all.length - from > MAX_HEAD_BYTES) throw notUnderstood('the head of its answer is too long');
      this.held = before === 0 ? Buffer.from(bytes.subarray(at)) : all;
      return bytes.length - at;
    }
    this.held = NOTHING;
    const head = headOf(all.toString('latin1', from, end));
    if (head === undefined) throw notUnderstood('its answer does not begin as HTTP/1.1 does');
    if (head.status >= FIRST_FINAL_STATUS) this.begin(head);
    return end + HEAD_END.length - from - before;
  }

  private begin(head: AnswerHead): void {
    this.mayGoOn = !head.isLast;
    this.parts?.onHead(head);
    if (this.isHead || NO_BODY.has(head.status)) this.end();
    else if (head.isChunked) this.phase = 'size';
    else if (head.lengthBytes === undefined) throw notUnderstood('its answer has no length');
    else {
      this.leftBytes = head.lengthBytes;
      if (this.leftBytes === 0) this.end();
      else this.phase = 'body';
    }
  }

  private takeBody(bytes: Buffer, at: number): number {
    const taken = Math.min(this.leftBytes, bytes.length - at);
    this.leftBytes -= taken;
    this.parts?.onData(Buffer.from(bytes.subarray(at, at + taken)));
    if (this.leftBytes > 0) return taken;
    if (this.phase === 'body') this.end();
    else this.phase = 'after-chunk';
    return taken;
  }

  private takeLine(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(LINE_END, at);
    const part = bytes.subarray(at, end < 0 ? bytes.length : end);
    const line = Buffer.concat([this.held, part]);
    if (line.length > MAX_LINE_BYTES) throw notUnderstood('a line between its chunks is too long');
    if (end < 0) {
      this.held = line;
      return part.length;
    }
    this.held = NOTHING;
    this.endLine(line.toString('latin1').replace(/\r$/, ''));
    return part.length + 1;
  }

  private endLine(line: string): void {
    if (this.phase === 'trailer') {
      if (line === '') this.end();
      return;
    }
    if (this.phase === 'after-chunk') {
      if (line !== '') throw notUnderstood('a chunk of its answer is longer than it says');
      this.phase = 'size';
      return;
    }
    const [size] = SIZE.exec(line) ?? [];
    if (size === undefined) throw notUnderstood('a chunk of its answer has no size');
    this.leftBytes = Number.parseInt(size, 16);
    this.phase = this.leftBytes === 0 ? 'trailer' : 'chunk';
  }

  private end(): void {
    const { parts } = this;
    this.phase = 'none';
    this.parts = undefined;
    parts?.onEnd();
  }
}

function notUnderstood(what: string): AppError {
  return new AppError('internal', `the app cannot be understood: ${what}`, { retry: 'unknown' });
}
