import { fdatasync, openSync, write } from 'node:fs';

const RECORD_BYTES = 200;

interface Waiting {
  readonly record: string;
  readonly done: () => void;
}

/** The least that makes records of 200 bytes durable: what arrives while one fdatasync is under way shares the next. */
export class GroupCommit {
  private readonly file: number;
  private queue: Waiting[] = [];
  private isWriting = false;

  constructor(path: string) {
    this.file = openSync(path, 'a');
  }

  append(content: unknown, done: () => void): void {
    const record = JSON.stringify(content)
      .slice(0, RECORD_BYTES - 1)
      .padEnd(RECORD_BYTES - 1);
    this.queue.push({ record: `${record}\n`, done });
    if (this.isWriting) return;
    this.isWriting = true;
    setImmediate(() => {
      this.writeQueued();
    });
  }

  private writeQueued(): void {
    const batch = this.queue;
    this.queue = [];
    const bytes = Buffer.from(batch.map(({ record }) => record).join(''), 'latin1');
    write(this.file, bytes, 0, bytes.length, null, (writeError, written) => {
      if (writeError ?? written < bytes.length) throw writeError ?? new Error('a short write');
      fdatasync(this.file, (syncError) => {
        if (syncError) throw syncError;
        for (const { done } of batch) done();
        if (this.queue.length > 0) this.writeQueued();
        else this.isWriting = false;
      });
    });
  }
}
