import { AppError } from '../../kernel/index.js';
import type { DocumentLines } from './document-line.js';
import { QUOTE } from './id-kind.js';
import { BLOCK_BYTES, LINE_SEPARATOR, NEWLINE, PackedBlock } from './packed-block.js';

const COLLECTION = /^(?:\{|\},)("(?:[^"\\]|\\.)*"):\{$/;
const END_OF_COLLECTION = '\n},';

/** How a file stores a collection's documents, and as of which counter. */
export interface WrittenLines {
  readonly lines: DocumentLines;
  readonly counter: number;
}

/**
 * Reads the collections in the first `length` bytes of a snapshot with one document per line, by name, in blocks that share
 * `bytes`, and skips those not in `written`. Examines little more than block boundaries. Throws `data-corrupt` naming `path`.
 */
export function readBlocks(
  bytes: Buffer,
  length: number,
  written: ReadonlyMap<string, WrittenLines>,
  path: string,
): Map<string, readonly PackedBlock[]> {
  const found = new Map<string, readonly PackedBlock[]>();
  let offset = 0;
  while (offset < length) {
    const begin = bytes.indexOf(NEWLINE, offset) + 1;
    const name = COLLECTION.exec(bytes.toString('utf8', offset, begin - 1))?.[1];
    if (name === undefined) throw unreadable(path, offset);
    const collection = JSON.parse(name) as string;
    const end = bytes[begin] === QUOTE ? bytes.indexOf(END_OF_COLLECTION, begin) : begin - 1;
    const how = written.get(collection);
    if (how) found.set(collection, cut(bytes, begin, end, how, path));
    offset = end + 1;
  }
  return found;
}

function cut(bytes: Buffer, begin: number, end: number, { lines, counter }: WrittenLines, path: string): PackedBlock[] {
  const blocks: PackedBlock[] = [];
  let lastId = lines.ids.lowest;
  for (let start = begin; start < end;) {
    const newline = start + BLOCK_BYTES < end ? bytes.indexOf(NEWLINE, start + BLOCK_BYTES) : end;
    const blockEnd = newline < end ? newline + 1 - LINE_SEPARATOR.length : end;
    const block = new PackedBlock(bytes.subarray(start, blockEnd), counter, lines);
    if (!(block.firstId > lastId && block.lastId >= block.firstId)) throw unreadable(path, start);
    blocks.push(block);
    lastId = block.lastId;
    start = newline + 1;
  }
  return blocks;
}

function unreadable(path: string, offset: number): AppError {
  return new AppError('data-corrupt', `${path}: malformed snapshot at byte ${String(offset)}`, {
    retry: 'never',
  });
}
