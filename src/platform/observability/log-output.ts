import { write, writeSync } from 'node:fs';

const BUFFER_CHARACTERS = 4_096;
const MOST_HELD_CHARACTERS = 1_024 * 1_024;
const FLUSH_AFTER_MS = 500;

/**
 * Buffered lines to a file descriptor. What cannot be written is dropped: a full disk under the log must neither hold up
 * nor end the process. (pino's own destination waits on such a disk, for ever and with the event loop.)
 */
export class LogOutput {
  private held = '';
  private isWriting = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly descriptor: number) {}

  write(line: string): void {
    if (this.held.length > MOST_HELD_CHARACTERS) return;
    this.held += line;
    if (this.held.length >= BUFFER_CHARACTERS) {
      this.writeHeld();
    } else {
      this.timer ??= setTimeout(() => {
        this.writeHeld();
      }, FLUSH_AFTER_MS).unref();
    }
  }

  /** Synchronous; for the last lines before the process ends. */
  flush(): void {
    const text = this.held;
    this.held = '';
    try {
      if (text !== '') writeSync(this.descriptor, text);
    } catch {
      // Dropped, as everywhere here: there is no place left to say so.
    }
  }

  private writeHeld(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.isWriting || this.held === '') return;
    const bytes = Buffer.from(this.held);
    this.held = '';
    this.isWriting = true;
    this.writeFrom(bytes, 0);
  }

  private writeFrom(bytes: Buffer, start: number): void {
    write(this.descriptor, bytes, start, bytes.length - start, null, (error, written) => {
      if (!error && start + written < bytes.length) {
        this.writeFrom(bytes, start + written);
        return;
      }
      this.isWriting = false;
      if (this.held.length >= BUFFER_CHARACTERS) this.writeHeld();
      else if (this.held !== '') this.write('');
    });
  }
}
