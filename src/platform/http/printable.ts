const PRINTABLE = /^[\x20-\x7e]{1,255}$/;

export const PRINTABLE_RULE = 'must be 1 to 255 printable ASCII characters';

/** What keys and ids in headers may be: 1 to 255 printable ASCII characters. */
export function isPrintable(text: unknown): text is string {
  return typeof text === 'string' && PRINTABLE.test(text);
}
