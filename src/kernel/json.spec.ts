import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../test/support/any-character.js';
import { isPlainKey, parseJson } from './json.js';

/** The same JSON with some characters of all its names written as escapes. */
function escaped(value: unknown, escapes: readonly boolean[]): string {
  if (Array.isArray(value)) return `[${value.map((each) => escaped(each, escapes)).join(' , ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const name = (text: string): string =>
    [...Array(text.length).keys()]
      .map((at) => (escapes[at] ? `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}` : text.charAt(at)))
      .join('');
  return `{${Object.entries(value)
    .map(([key, inner]) => `"${name(key)}" : ${escaped(inner, escapes)}`)
    .join(',')}}`;
}

const plainKey = fc.string({ unit: anyCharacter }).filter(isPlainKey);
const { value: json } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: anyCharacter }),
    fc.constantFrom('"a":', '\\":', 'a\\', '":"'),
    fc.integer(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(plainKey, tie('value'), { maxKeys: 4 }),
  ),
}));

describe('parseJson', () => {
  it('of any JSON with any escapes in its names returns the written names and values', () => {
    fc.assert(
      fc.property(json, fc.array(fc.boolean(), { maxLength: 8 }), (value, escapes) => {
        expect(JSON.stringify(parseJson(escaped(value, escapes)))).toBe(JSON.stringify(JSON.parse(escaped(value, []))));
      }),
      { numRuns: 1_000 },
    );
  });

  it.each(['\u007f', '\u0085', '\u2028', 'é', '𝒳'])(
    'of the escaped name %j, which needs no escape, returns that name',
    (name) => {
      expect(parseJson(escaped({ [name]: 1 }, [true, true]))).toEqual({ [name]: 1 });
    },
  );

  it('of a name that needs an escape returns an unused name, and keeps the others', () => {
    const names = fc.string({ unit: anyCharacter, minLength: 1, maxLength: 6 }).filter((name) => !isPlainKey(name));
    fc.assert(
      fc.property(names, (name) => {
        const found = Object.keys(parseJson(`{"title":1,${JSON.stringify(name)}:2,"author":3}`) as object);

        expect(found.filter((key) => !key.includes('\ufffd'))).toEqual(['title', 'author']);
        expect(found.every(isPlainKey)).toBe(true);
      }),
    );
  });

  it('of malformed JSON throws the error of JSON.parse, at once for any length', () => {
    const text = `{"a":"${'\\"'.repeat(500_000)}`;
    const startedMs = performance.now();

    expect(() => parseJson(text)).toThrow(SyntaxError);
    expect(() => parseJson('{"\\x":1}')).toThrow(SyntaxError);
    expect(performance.now() - startedMs).toBeLessThan(30_000);
  });
});

describe('isPlainKey', () => {
  it.each([
    ['title', true],
    ['Zürich, 文', true],
    ['', true],
    ['a"b', false],
    ['a\\b', false],
    ['a\nb', false],
    ['\ud800', false],
  ])('of %j says %s', (name, isPlain) => {
    expect(isPlainKey(name)).toBe(isPlain);
  });
});
