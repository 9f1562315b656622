/** Whether JSON writes this member name without an escape. */
export function isPlainKey(name: string): boolean {
  return JSON.stringify(name) === `"${name}"`;
}

/** Matches every string in valid JSON, together with the colon after it when the string is a member name. */
const STRING = /("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?/g;
const NO_SUCH_NAME = '\ufffd';

/**
 * `JSON.parse` for text from outside. Some V8 versions (in Node 24 before 24.22 and 26 before 26.12) can misread a member name
 * that contains an escape, so names are unescaped first. Characters that JSON cannot write without an escape, which none of our
 * names has, become U+FFFD. Throws what `JSON.parse` throws.
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
