import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** An append-only file of JSON, one line each. */
export class DurableLines<Line> {
  private hasFailed = false;

  private constructor(
    private readonly file: FileHandle,
    /** What was in it when it was opened. */
    readonly lines: readonly Line[],
  ) {}

  /** Made when it is missing. A line without its end is cut off: whoever wrote it died before it was durable. */
  static async open<Line>(path: string): Promise<DurableLines<Line>> {
    const file = await open(path, 'a+');
    const content = await file.readFile();
    const whole = content.subarray(0, content.lastIndexOf('\n') + 1);
    await file.truncate(whole.length);
    await file.sync();
    const directory = await open(dirname(path), 'r');
    await directory.sync();
    await directory.close();
    const lines = whole.toString().split('\n').slice(0, -1);
    return new DurableLines(
      file,
      lines.map((line) => JSON.parse(line) as Line),
    );
  }

  /** Durable when it resolves. One at a time. After one that failed all do: only a new start can tell what is there. */
  async append(line: Line): Promise<void> {
    if (this.hasFailed) throw new Error('an earlier write to this file has failed: start again');
    try {
      await this.file.appendFile(`${JSON.stringify(line)}\n`);
      await this.file.datasync();
    } catch (error) {
      this.hasFailed = true;
      throw error;
    }
  }

  close(): Promise<void> {
    return this.file.close();
  }
}
