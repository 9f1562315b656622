import { AppError } from '../../kernel/index.js';
import { BLOCK_BYTES, LINE_SEPARATOR, PackedBlock } from './packed-block.js';
import { PackedDocuments } from './packed-documents.js';

export const NEWLINE = 0x0a;
const QUOTE = 0x22;
const DIGIT_ZERO = 0x30;
const COLLECTION = /^(?:\{|\},)("(?:[^"\\]|\\.)*"):\{$/;

/**
 * The collections in the first `length` bytes of a snapshot with one document per line, by name. Looks only at ids and
 * newlines; what it gives are parts of `bytes`. Throws `data-corrupt` naming `path` when a line is not as it must be.
 */
export function readPackedDocuments(
  bytes: Buffer,
  length: number,
  counterOf: (collection: string) => number,
  path: string,
): Map<string, PackedDocuments> {
  const found = new Map<string, PackedDocuments>();
  let offset = 0;
  while (offset < length) {
    const end = bytes.indexOf(NEWLINE, offset);
    const name = COLLECTION.exec(bytes.toString('utf8', offset, end))?.[1];
    if (name === undefined) throw unreadable(path, offset);
    const blocks: PackedBlock[] = [];
    const collection = JSON.parse(name) as string;
    offset = end + 1;
    while (bytes[offset] === QUOTE) {
      const block = readBlock(bytes, offset, counterOf(collection), path);
      if (block.firstId <= (blocks.at(-1)?.lastId ?? -Infinity)) throw unreadable(path, offset);
      blocks.push(block);
      offset += block.bytes.length;
      offset += bytes[offset] === NEWLINE ? 1 : LINE_SEPARATOR.length;
    }
    found.set(collection, new PackedDocuments(blocks));
  }
  return found;
}

/** The documents from the line at `start` on, up to the size of a block or the last of the collection. */
function readBlock(bytes: Buffer, start: number, counter: number, path: string): PackedBlock {
  const ids: number[] = [];
  const ends: number[] = [];
  let offset = start;
  let end = start;
  let lastId = -Infinity;
  while (end - start < BLOCK_BYTES && bytes[offset] === QUOTE) {
    let id = 0;
    for (offset += 1; bytes[offset] !== QUOTE; offset += 1) id = id * 10 + (bytes[offset] ?? NaN) - DIGIT_ZERO;
    const newline = bytes.indexOf(NEWLINE, offset);
    if (!(id > lastId) || newline === -1) throw unreadable(path, offset);
    end = bytes[newline - 1] === LINE_SEPARATOR.charCodeAt(0) ? newline - 1 : newline;
    ids.push(id);
    ends.push(end - start);
    lastId = id;
    offset = newline + 1;
  }
  return new PackedBlock(bytes.subarray(start, end), new Float64Array(ids), new Uint32Array(ends), counter);
}

function unreadable(path: string, offset: number): AppError {
  return new AppError('data-corrupt', `${path}: not a line of a snapshot at byte ${String(offset)}`, {
    retry: 'never',
  });
}
