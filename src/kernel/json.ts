/** Whether JSON writes this name of a member as it is, without an escape. */
export function isPlainKey(name: string): boolean {
  return JSON.stringify(name) === `"${name}"`;
}

/** A string, and the colon behind it where it is the name of a member. Of JSON that is valid, every string is found. */
const STRING = /("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?/g;
const NO_SUCH_NAME = '\ufffd';

/**
 * `JSON.parse` for text that others have written. Some V8 (in Node 24 before 24.22 and 26 before 26.12) can give a member
 * that is written with an escape another name than the text has: here names are written plainly before they are parsed.
 * Characters that JSON cannot write plainly, which no name of ours has, become U+FFFD. Throws what `JSON.parse` throws.
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (!text.includes('\\')) return value;
  const plain = text.replace(STRING, (whole, name: string, colon: string | undefined) =>
    colon !== undefined && name.includes('\\') ? `${plainName(name)}${colon}` : whole,
  );
  return plain === text ? value : JSON.parse(plain);
}

function plainName(written: string): string {
  const name = JSON.parse(written) as string;
  return `"${[...name].map((character) => (isPlainKey(character) ? character : NO_SUCH_NAME)).join('')}"`;
}
