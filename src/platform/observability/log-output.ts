import { write, writeSync } from 'node:fs';
import type { LogFile } from './log-file.js';

const BUFFER_CHARACTERS = 4_096;
const MAX_HELD_LENGTH = 1_024 * 1_024;
const FLUSH_AFTER_MS = 500;
const REDACTED = '[redacted]';

export interface LogOutputOptions {
  /** Undefined: the reader of the descriptor limits what is kept. */
  readonly file?: LogFile | undefined;
  /** Never written, wherever they occur in a line. */
  readonly secrets?: readonly string[];
  /** The line that reports how many lines were dropped. */
  readonly leftOutLine?: (count: number) => string;
}

/**
 * Writes buffered lines to a file descriptor. Lines that cannot be written are dropped and counted, because a full disk must
 * neither block nor end the process. (pino's own destination blocks the event loop for ever on such a disk.)
 */
export class LogOutput {
  private held = '';
  private leftOut = 0;
  private isWriting = false;
  private timer: NodeJS.Timeout | undefined;
  /** The secrets in the form that they have inside a line. */
  private readonly secrets: readonly string[];

  constructor(
    private readonly descriptor: number,
    private readonly options: LogOutputOptions = {},
  ) {
    this.secrets = (options.secrets ?? []).map((secret) => JSON.stringify(secret).slice(1, -1));
  }

  write(line: string): void {
    if (this.held.length > MAX_HELD_LENGTH) {
      this.leftOut += 1;
      return;
    }
    this.held += this.withoutSecrets(line);
    if (this.held.length >= BUFFER_CHARACTERS) this.writeHeld();
    else this.writeSoon();
  }

  /** Synchronous; for the last lines before the process ends. */
  flush(): void {
    const text = this.held;
    this.held = '';
    try {
      if (text !== '') writeSync(this.descriptor, text);
    } catch {
      // Dropped, because there is nowhere left to report it.
    }
  }

  private withoutSecrets(line: string): string {
    return this.secrets.reduce(
      (text, secret) => (text.includes(secret) ? text.replaceAll(secret, REDACTED) : text),
      line,
    );
  }

  private writeSoon(): void {
    this.timer ??= setTimeout(() => {
      this.writeHeld();
    }, FLUSH_AFTER_MS).unref();
  }

  private writeHeld(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.isWriting || this.held === '') return;
    const told = this.leftOut > 0 ? (this.options.leftOutLine?.(this.leftOut) ?? '') : '';
    const lines = this.held;
    const bytes = Buffer.from(told + lines);
    this.held = '';
    this.isWriting = true;
    const { file } = this.options;
    if (!file) {
      this.leftOut = 0;
      this.writeFrom(bytes, 0);
      return;
    }
    void file.admits(bytes.length).then((isAdmitted) => {
      if (isAdmitted) {
        this.leftOut = 0;
        this.writeFrom(bytes, 0);
      } else {
        this.leftOut += lines.split('\n').length - 1;
        this.writeOn();
      }
    });
  }

  private writeFrom(bytes: Buffer, start: number): void {
    write(this.descriptor, bytes, start, bytes.length - start, null, (error, written) => {
      if (!error && start + written < bytes.length) this.writeFrom(bytes, start + written);
      else this.writeOn();
    });
  }

  private writeOn(): void {
    this.isWriting = false;
    if (this.held.length >= BUFFER_CHARACTERS) this.writeHeld();
    else if (this.held !== '') this.writeSoon();
  }
}
