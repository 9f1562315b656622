import type { SeededRandom } from '../support/seeded-random.js';

export function oneOf<T>(random: SeededRandom, choices: readonly T[]): T {
  return choices[random.below(choices.length)] as T;
}

const TEXTS = [
  ...['', ' ', 'a', '0', '-1', '1.5', '1e3', 'true', 'null', '__proto__', 'constructor', 'toString', '..', '.', '/'],
  ...['ä', '漢字', '😀', '\u0000', '\ud800', '\u202e', '\\', '"', "'; DROP TABLE books; --", '${1}', '%00', '*'],
  ...[50, 51, 64, 65, 200, 201, 255, 256, 320, 1_024, 1_025].map((length) => 'x'.repeat(length)),
  ...['2026-01-01', 'a@b', 'a@@b', '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77', '1.1', '0.0', '9007199254740993.1'],
] as const;

const NUMBERS = [
  ...[0, -0, 1, -1, 2, 3, 7, 0.5, 0.001, 1e-9, 999_999.99, 1_000_000, 1_000_000.01, 1e9, 1e9 + 1, 1e15, 1e15 + 1],
  ...[2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 63, 1e308, -1e308],
] as const;

/** A JSON value that nobody has asked for. */
export function anyJson(random: SeededRandom): unknown {
  const kinds: readonly (() => unknown)[] = [
    () => oneOf(random, TEXTS),
    () => oneOf(random, NUMBERS),
    () => oneOf(random, [null, true, false, [], {}, [[]], [1, 'a', null], { a: 1 }]),
    () => ({ [oneOf(random, TEXTS)]: oneOf(random, TEXTS) }),
  ];
  return oneOf(random, kinds)();
}

export function anyText(random: SeededRandom): string {
  return oneOf(random, TEXTS);
}

/** What a parameter of a path or a query may be sent as; percent-encoded, or as no client should. */
export function anyParameter(random: SeededRandom): string {
  const odd = ['%', '%zz', '%c3%28', '%2e%2e', '%2F', '%00', 'a%20b', '+', '0x10', '01', '1;x=1', '١', '%E2%82%AC'];
  const encoded = (text: string): string => (text.isWellFormed() ? encodeURIComponent(text) : '%ED%A0%80');
  return random.chance(0.4) ? oneOf(random, odd).replace('١', '%D9%A1') : encoded(anyText(random));
}

/** As it can stand in a header line: Latin-1, without control characters. */
export function anyHeaderValue(random: SeededRandom): string {
  const odd = ['*', '"x"', 'W/"x"', '"a", "b"', '"', ',', 'x'.repeat(4_000), 'ä', '\u00ff', '9'.repeat(400), ' '];
  const text = random.chance(0.5) ? oneOf(random, odd) : anyText(random);
  return text.replace(/[^\t\x20-\x7e\u0080-\u00ff]/g, '?');
}

/** Bytes that are no JSON, or JSON that no schema has thought of. */
export function anyBytes(random: SeededRandom): string {
  const rare = [
    () => `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
    () => `{"title":"${'x'.repeat(300_000)}"}`,
    () => JSON.stringify({ many: Array.from({ length: 20_000 }, (_, n) => n) }),
  ];
  const odd = [
    '',
    ' ',
    '{',
    '}',
    '[',
    '"',
    '{"a":}',
    '{"a":1,}',
    "{'a':1}",
    'NaN',
    '{"a":1}{"b":2}',
    '\ufeff{}',
    '\u0000',
  ];
  const twice = [
    '{"title":"a","title":"b"}',
    '{"groupId":"1","groupId":"2"}',
    '{"__proto__":{"a":1}}',
    '{"\\u0061":1}',
  ];
  return random.chance(0.02) ? oneOf(random, rare)() : oneOf(random, [...odd, ...twice]);
}
