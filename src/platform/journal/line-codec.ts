import { crc32 } from 'node:zlib';

const CHECKSUM_DIGITS = 8;
const NEWLINE = 0x0a;
const SPACE = 0x20;

/** How far the JSON of a line stands behind the line's start. */
export const CHECKSUM_BYTES = CHECKSUM_DIGITS + 1;

/** One line of a segment: CRC-32 of the JSON text's UTF-8 bytes in eight hex digits, a space, the JSON, a newline. */
export function encodeLine(json: string): string {
  return `${crc32(json).toString(16).padStart(CHECKSUM_DIGITS, '0')} ${json}\n`;
}

export interface Line {
  /** Byte offset of the line in its buffer. */
  readonly start: number;
  /** Byte offset after its newline. */
  readonly end: number;
  /** Undefined when the line is cut short or its checksum does not fit. */
  readonly json: string | undefined;
}

/** The line that starts at `start`; a missing newline makes it a bad line that reaches to the end of the buffer. */
export function readLine(bytes: Buffer, start: number): Line {
  const newline = bytes.indexOf(NEWLINE, start);
  if (newline === -1) return { start, end: bytes.length, json: undefined };
  const end = newline + 1;
  const jsonStart = start + CHECKSUM_BYTES;
  if (newline <= jsonStart || bytes[jsonStart - 1] !== SPACE) return { start, end, json: undefined };
  const json = bytes.subarray(jsonStart, newline);
  const checksum = bytes.toString('latin1', start, jsonStart - 1);
  const fits = checksum === crc32(json).toString(16).padStart(CHECKSUM_DIGITS, '0');
  return { start, end, json: fits ? json.toString('utf8') : undefined };
}
