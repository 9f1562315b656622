import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChainPosition } from '../../src/kernel/index.js';
import { encodeRecord, type JournalRecord } from '../../src/platform/journal/index.js';
import { encodeLine } from '../../src/platform/disk/line-codec.js';

const CHECKSUM_CHARACTERS = 9;

/**
 * Rewrites the journal in `directory`, of one segment, as somebody would who knows the format: `find` becomes `put`,
 * and every checksum and hash behind it is made to fit. Both words have the same length, so offsets stay.
 */
export function forge(directory: string, find: string, put: string): void {
  const segments = readdirSync(directory).filter((name) => /^journal-[\d-]+\.log$/.test(name));
  if (segments.length !== 1 || find.length !== put.length)
    throw new Error('forge one segment with words of one length');
  const path = join(directory, segments[0]!);
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  let previous: ChainPosition | undefined;
  const forged = lines.map((line) => {
    const json = line.slice(CHECKSUM_CHARACTERS);
    const content = JSON.parse(json) as JournalRecord<unknown> & {
      readonly after?: ChainPosition;
      readonly batch?: unknown;
    };
    if (content.after !== undefined) previous = content.after;
    if (content.after !== undefined || content.batch !== undefined || previous === undefined) return `${line}\n`;
    const op = JSON.parse(JSON.stringify(content.op).replaceAll(find, put)) as unknown;
    const [record, text] = encodeRecord(previous, content.epoch, content.at, op);
    previous = record;
    return encodeLine(text);
  });
  writeFileSync(path, forged.join(''));
}
