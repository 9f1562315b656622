import type { Retention } from './retention-queue.js';
import { LINE_SEPARATOR, NEWLINE } from './packed-block.js';

const PER_BLOCK = 512;
const FIRST_BYTES = 64 * 1024;

/** Consecutive lines as bytes off the heap, with `LINE_SEPARATOR` between them. Only the last block grows. */
class LineBlock {
  readonly times = new Float64Array(PER_BLOCK);
  count = 0;
  private bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  private readonly ends = new Uint32Array(PER_BLOCK);

  add(line: string, at: number): void {
    const start = this.start(this.count);
    const end = start + Buffer.byteLength(line);
    if (end > this.bytes.length) this.resize(2 * end);
    if (this.count > 0) this.bytes.write(LINE_SEPARATOR, start - LINE_SEPARATOR.length, 'latin1');
    this.bytes.write(line, start);
    this.ends[this.count] = end;
    this.times[this.count] = at;
    this.count += 1;
    if (this.count === PER_BLOCK) this.resize(end);
  }

  line(position: number): string {
    return this.bytes.toString('utf8', this.start(position), this.ends[position]);
  }

  /** Returns the lines from `position` on. Later additions do not change the bytes. */
  bytesFrom(position: number): Buffer {
    return this.bytes.subarray(this.start(position), this.ends[this.count - 1]);
  }

  private start(position: number): number {
    return position === 0 ? 0 : (this.ends[position - 1] ?? 0) + LINE_SEPARATOR.length;
  }

  private resize(size: number): void {
    const bytes = Buffer.allocUnsafeSlow(size);
    this.bytes.copy(bytes, 0, 0, Math.min(size, this.bytes.length));
    this.bytes = bytes;
  }
}

/** Lines of JSON, first in, first out, numbered in order of arrival. */
export class OperationLog {
  private blocks: LineBlock[] = [];
  /** The number of the first line of the first block. */
  private base = 0;
  private first = 0;
  private end = 0;

  get size(): number {
    return this.end - this.first;
  }

  /** Returns the line's number. */
  add(line: string, at: number): number {
    let block = this.blocks.at(-1);
    if (block === undefined || block.count === PER_BLOCK) this.blocks.push((block = new LineBlock()));
    block.add(line, at);
    this.end += 1;
    return this.end - 1;
  }

  line(number: number): string {
    const index = number - this.base;
    const block = this.blocks[Math.floor(index / PER_BLOCK)];
    if (number < this.first || block === undefined) throw new Error(`line ${String(number)} is missing`);
    return block.line(index % PER_BLOCK);
  }

  /** Removes, oldest first, at most `atOnce` lines that are too old at `now` or too many. `forget` may still read the line. */
  expire(now: number, keep: Retention, forget: (number: number) => void): void {
    const { atOnce = Infinity } = keep;
    const last = this.first + atOnce;
    while (this.size > 0 && this.first < last && (this.size > keep.count || this.oldestAt + keep.ms <= now)) {
      forget(this.first);
      this.first += 1;
      if (this.first - this.base < PER_BLOCK) continue;
      this.blocks.shift();
      this.base += PER_BLOCK;
    }
  }

  /** Later additions and removals do not change the result. */
  capture(): Buffer[] {
    if (this.size === 0) return [];
    return this.blocks.map((block, index) => block.bytesFrom(index === 0 ? this.first - this.base : 0));
  }

  private get oldestAt(): number {
    return this.blocks[0]?.times[this.first - this.base] ?? Infinity;
  }
}

export function* linesIn(bytes: Buffer): Generator<string, void, undefined> {
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline + 1 - LINE_SEPARATOR.length;
    yield bytes.toString('utf8', start, end);
    start = end + LINE_SEPARATOR.length;
  }
}
