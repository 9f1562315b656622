import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const MAX_BYTES = 64 * 1024;

/** `code: what is wrong`, as the app prints it, or `Error [CODE]: what`, as Node does. */
const TELLING = /^[\w-]+(?: \[\w+\])?: \S/;

/**
 * The line of `output` in which a process said why it ended: the last one that names an error, else the last that is neither a
 * JSON log line nor part of a stack; undefined without one.
 */
export function complaintIn(output: string): string | undefined {
  const lines = output.split('\n').filter((line) => /^[^\s{}]/.test(line) && !/^Node\.js v\d/.test(line));
  return lines.findLast((line) => TELLING.test(line)) ?? lines.at(-1);
}

/** The text appended to a file since `offset`, only its end when it is long; empty when the file is gone. */
export function readFrom(path: string, offset: number): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return '';
  }
  try {
    const { size } = fstatSync(file);
    // A file shorter than the offset has been restarted in the meantime.
    const begin = offset <= size ? offset : 0;
    const start = Math.max(begin, size - MAX_BYTES);
    const bytes = Buffer.alloc(Math.max(0, size - start));
    const length = readSync(file, bytes, 0, bytes.length, start);
    const text = bytes.toString('utf8', 0, length);
    // A text that begins inside a line loses that partial line.
    return start > begin ? text.slice(text.indexOf('\n') + 1) : text;
  } finally {
    closeSync(file);
  }
}
