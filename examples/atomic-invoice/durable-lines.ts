import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '../../src/kernel/index.js';

/** An append-only file of JSON, one line each. */
export class DurableLines<Line> {
  private hasFailed = false;

  private constructor(
    private readonly file: FileHandle,
    /** What was in it when it was opened. */
    readonly lines: readonly Line[],
  ) {}

  /**
   * Made when it is missing. A line without its end is cut off: whoever wrote it died before it was durable. Rejects with
   * `data-corrupt`, having changed nothing, when one that has its end is no `Line`: that one was durable.
   */
  static async open<Line>(path: string, isLine: (value: unknown) => value is Line): Promise<DurableLines<Line>> {
    const file = await open(path, 'a+');
    try {
      const content = await file.readFile();
      const whole = content.subarray(0, content.lastIndexOf('\n') + 1);
      const lines = linesOf(whole.toString(), path, isLine);
      await file.truncate(whole.length);
      await file.sync();
      const directory = await open(dirname(path), 'r');
      await directory.sync();
      await directory.close();
      return new DurableLines(file, lines);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Durable when it resolves. One at a time. After one that failed all do: only a new start can tell what is there. */
  async append(line: Line): Promise<void> {
    if (this.hasFailed) throw new Error('an earlier write to this file failed: restart the app');
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

function linesOf<Line>(content: string, path: string, isLine: (value: unknown) => value is Line): readonly Line[] {
  const texts = content.split('\n').slice(0, -1);
  return texts.map((text, index) => {
    const value = parsed(text);
    if (isLine(value)) return value;
    const message = `${path}: line ${index + 1} is damaged; nothing was changed. Restore a backup of the whole directory`;
    throw new AppError('data-corrupt', message, { retry: 'never' });
  });
}

/** Undefined when it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
