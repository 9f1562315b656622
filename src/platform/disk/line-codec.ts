import { crc32 } from 'node:zlib';

const CHECKSUM_DIGITS = 8;
const NEWLINE = 0x0a;
const SPACE = 0x20;
/** Indexed by character code; NaN for other characters. */
const HEX_VALUES = Array.from({ length: 256 }, (_, code) => {
  const value = '0123456789abcdef'.indexOf(String.fromCharCode(code));
  return value === -1 ? NaN : value;
});

/** The offset of the JSON from the start of its line. */
export const CHECKSUM_BYTES = CHECKSUM_DIGITS + 1;

/** One line of a segment: CRC-32 of the JSON text's UTF-8 bytes in eight hex digits, a space, the JSON, a newline. */
export function encodeLine(json: string): string {
  return `${crc32(json).toString(16).padStart(CHECKSUM_DIGITS, '0')} ${json}\n`;
}

export interface Line {
  readonly start: number;
  readonly end: number;
  /** Undefined when the line is cut short or its checksum does not match. */
  readonly json: string | undefined;
}

/** Reads the line that starts at `start`. Without a newline the line is bad and reaches to the end of the buffer. */
export function readLine(bytes: Buffer, start: number): Line {
  const newline = bytes.indexOf(NEWLINE, start);
  if (newline === -1) return { start, end: bytes.length, json: undefined };
  const end = newline + 1;
  const jsonStart = start + CHECKSUM_BYTES;
  if (newline <= jsonStart || bytes[jsonStart - 1] !== SPACE) return { start, end, json: undefined };
  const fits = checksumAt(bytes, start) === crc32(bytes.subarray(jsonStart, newline));
  return { start, end, json: fits ? bytes.toString('utf8', jsonStart, newline) : undefined };
}

/** Parses the eight lower-case hex digits at `start`; any other character gives NaN, which equals nothing. */
function checksumAt(bytes: Buffer, start: number): number {
  let checksum = 0;
  for (let offset = start; offset < start + CHECKSUM_DIGITS; offset += 1) {
    checksum = checksum * 16 + (HEX_VALUES[bytes[offset] ?? 0] ?? NaN);
  }
  return checksum;
}
