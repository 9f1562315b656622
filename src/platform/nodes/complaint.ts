import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const MAX_BYTES = 64 * 1024;

/** `code: what is wrong`, as the app says it, or `Error [CODE]: what`, as Node does. */
const TELLING = /^[\w-]+(?: \[\w+\])?: \S/;

/**
 * The line of `output` in which a process said why it ended: the last one that names an error, else the last that is
 * neither a JSON log line nor part of a stack; undefined when there is none.
 */
export function complaintIn(output: string): string | undefined {
  const lines = output.split('\n').filter((line) => /^[^\s{}]/.test(line) && !/^Node\.js v\d/.test(line));
  return lines.findLast((line) => TELLING.test(line)) ?? lines.at(-1);
}

/** What was appended to a file since it had `offset` bytes, the end of it when that is much; empty when it is gone. */
export function readFrom(path: string, offset: number): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return '';
  }
  try {
    const { size } = fstatSync(file);
    // One that is shorter was begun anew meanwhile.
    const begin = offset <= size ? offset : 0;
    const start = Math.max(begin, size - MAX_BYTES);
    const bytes = Buffer.alloc(Math.max(0, size - start));
    const length = readSync(file, bytes, 0, bytes.length, start);
    const text = bytes.toString('utf8', 0, length);
    // What begins in the middle of a line is no line.
    return start > begin ? text.slice(text.indexOf('\n') + 1) : text;
  } finally {
    closeSync(file);
  }
}
