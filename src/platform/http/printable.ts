const PRINTABLE = /^[\x20-\x7e]{1,255}$/;

export const PRINTABLE_RULE = 'must be 1 to 255 printable ASCII characters';

/** Keys and ids in headers must be 1 to 255 printable ASCII characters. */
export function isPrintable(text: unknown): text is string {
  return typeof text === 'string' && PRINTABLE.test(text);
}
