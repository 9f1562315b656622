import { crc32 } from 'node:zlib';

const CHECKSUM_DIGITS = 8;
const NEWLINE = 0x0a;
const SPACE = 0x20;
/** By character code; NaN for what is no digit. */
const HEX_VALUES = Array.from({ length: 256 }, (_, code) => {
  const value = '0123456789abcdef'.indexOf(String.fromCharCode(code));
  return value === -1 ? NaN : value;
});

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
  const fits = checksumAt(bytes, start) === crc32(bytes.subarray(jsonStart, newline));
  return { start, end, json: fits ? bytes.toString('utf8', jsonStart, newline) : undefined };
}

/** Of the eight lower-case hex digits at `start`; NaN, which equals nothing, when there is any other character. */
function checksumAt(bytes: Buffer, start: number): number {
  let checksum = 0;
  for (let offset = start; offset < start + CHECKSUM_DIGITS; offset += 1) {
    checksum = checksum * 16 + (HEX_VALUES[bytes[offset] ?? 0] ?? NaN);
  }
  return checksum;
}
