import { describe, expect, it } from '@jest/globals';
import { BOOK, CUSTOMER } from './support/resources.js';
import { useSharedApp } from './support/shared-app.js';

const app = useSharedApp();
const JSON_TYPE = { 'content-type': 'application/json' };

/** The body of `input` with `field` as this raw JSON text, which may be what no serialiser would write. */
function bodyWith(input: Readonly<Record<string, unknown>>, field: string, raw: string): string {
  const members = Object.entries(input).filter(([name]) => name !== field);
  return `{${[...members.map(([name, value]) => `"${name}":${JSON.stringify(value)}`), `"${field}":${raw}`].join(',')}}`;
}

const NOT_TEXT = ['1', 'true', 'null', '[]', '["a"]', '{}', '{"a":1}'];
const NOT_A_NUMBER = ['"1"', '""', 'null', 'true', '[]', '[1]', '{}', '{"a":1}'];
const text = (of: string): string => JSON.stringify(of);

const REFUSED_TEXT = [
  ...NOT_TEXT,
  text(''),
  text('   '),
  text('\t\n\r \u00a0\u2003\ufeff'),
  text('x'.repeat(201)),
  text('💚'.repeat(201)),
  text('x'.repeat(1_000_000)),
  '"\\ud800"',
  '"a\\udc00b"',
  '"\\ud800\\ud800"',
];
const ACCEPTED_TEXT: (readonly [sent: string, shown: string])[] = [
  [text('x'), 'x'],
  [text('x'.repeat(200)), 'x'.repeat(200)],
  [text('💚'.repeat(200)), '💚'.repeat(200)],
  [text(`  ${'x'.repeat(200)}\n`), 'x'.repeat(200)],
  [text(' inner  spaces stay '), 'inner  spaces stay'],
  ['"\\ud83d\\udc9a"', '💚'],
  ['"nul\\u0000inside"', 'nul\u0000inside'],
  ['"\\u0001\\u001f\\u007f\\u0080"', '\u0001\u001f\u007f\u0080'],
  [text('<script>alert(1)</script>'), '<script>alert(1)</script>'],
  [text(`'; DROP TABLE books; --`), `'; DROP TABLE books; --`],
  [text('__proto__'), '__proto__'],
  [text('é e\u0301 ﷽ 你好 \u202e'), 'é e\u0301 ﷽ 你好 \u202e'],
];

interface Rule {
  readonly path: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly field: string;
  readonly refused: readonly string[];
  readonly accepted: readonly (readonly [sent: string, shown: unknown])[];
}

const RULES: readonly Rule[] = [
  ...['title', 'author'].map((field) => ({ ...BOOK, field, refused: REFUSED_TEXT, accepted: ACCEPTED_TEXT })),
  { ...CUSTOMER, field: 'name', refused: REFUSED_TEXT, accepted: ACCEPTED_TEXT },
  {
    ...BOOK,
    field: 'price',
    refused: [
      ...NOT_A_NUMBER,
      ...[
        '-0.01',
        '-1',
        '1000000.01',
        '1000001',
        '0.001',
        '0.005',
        '12.505',
        '1e-3',
        '1e-7',
        '1e21',
        '1e999',
        '-1e999',
      ],
      ...['9007199254740993', '0.1000000000000001', '999999.999', '1e308'],
    ],
    accepted: [
      ['0', 0],
      ['-0', 0],
      ['0.00', 0],
      ['0.01', 0.01],
      ['0.1', 0.1],
      ['0.29', 0.29],
      ['1.10', 1.1],
      ['19.99', 19.99],
      ['1e2', 100],
      ['1.15e1', 11.5],
      ['1e-2', 0.01],
      ['4.35', 4.35],
      ['999999.99', 999_999.99],
      ['1000000', 1_000_000],
      ['1000000.00', 1_000_000],
    ],
  },
  {
    ...BOOK,
    field: 'quantity',
    refused: [...NOT_A_NUMBER, '-1', '0.5', '1.1', '1000000001', '1e10', '1e999', '1e-7', '1e21', '9007199254740993'],
    accepted: [
      ['0', 0],
      ['-0', 0],
      ['1.0', 1],
      ['1e3', 1000],
      ['1000000000', 1_000_000_000],
    ],
  },
  {
    ...CUSTOMER,
    field: 'email',
    refused: [
      ...NOT_TEXT,
      ...['', ' ', 'a@', '@', 'abc', 'ab', ' a@ ', '💚@', 'a@b@c', '@@@', 'a@@b', `${'x'.repeat(319)}@b`].map(text),
      ...['"a@\\ud800"', text(`${'💚'.repeat(319)}@b`)],
    ],
    accepted: [
      [text('a@b'), 'a@b'],
      [text('  a@b\n'), 'a@b'],
      [text(`${'x'.repeat(318)}@b`), `${'x'.repeat(318)}@b`],
      [text(`${'💚'.repeat(318)}@b`), `${'💚'.repeat(318)}@b`],
      [text('Ada+tag@EXAMPLE.org'), 'Ada+tag@EXAMPLE.org'],
    ],
  },
];

/** Long values would make long titles. */
function titled(raw: string): string {
  return raw.length <= 40 ? raw : `${raw.slice(0, 30)}… (${String(raw.length)} characters of JSON)`;
}

describe.each(RULES)('the field $field of $path', ({ path, input, field, refused, accepted }) => {
  it.each(refused.map((raw) => ({ raw, title: titled(raw) })))(
    'given $title, is refused by name on POST and PUT, and nothing is written',
    async ({ raw }) => {
      const at = await app.client.add(path, input);
      const before = await app.client.get(at);
      const asking = { body: bodyWith(input, field, raw), headers: JSON_TYPE };
      (await app.client.send('POST', path, asking)).problem(400, field);
      (await app.client.send('PUT', at, asking)).problem(400, field);
      expect((await app.client.get(at)).text).toBe(before.text);
    },
  );

  it.each(accepted.map(([raw, shown]) => ({ raw, shown, title: titled(raw) })))(
    'given $title, is stored and returned exactly',
    async ({ raw, shown }) => {
      const asking = { body: bodyWith(input, field, raw), headers: JSON_TYPE };
      const created = await app.client.send('POST', path, asking);
      expect([created.status, created.json()[field]]).toEqual([201, shown]);
      const at = created.header('location');
      const replaced = await app.client.send('PUT', at, asking);
      expect([replaced.status, replaced.text]).toEqual([200, created.text]);
      expect((await app.client.get(at)).text).toBe(created.text);
      const listed = (await app.client.get(`${path}?limit=1000`)).json<{ id: number }[]>();
      expect(listed.find(({ id }) => at === `${path}/${String(id)}`)).toMatchObject({ [field]: shown });
    },
  );

  it('given twice in one body, takes the last value', async () => {
    const [, shown] = accepted[0]!;
    const body = bodyWith(input, field, `${refused[0]!},"${field}":${accepted[0]![0]}`);
    const created = await app.client.send('POST', path, { body, headers: JSON_TYPE });
    expect([created.status, created.json()[field]]).toEqual([201, shown]);
  });
});

it.each(RULES)('the field $field of $path with its name in escapes, is accepted', async (rule) => {
  const { path, input, field, accepted } = rule;
  const inEscapes = [...field].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
  const body = bodyWith(input, field, accepted[0]![0]).replace(`"${field}"`, `"${inEscapes}"`);
  const created = await app.client.send('POST', path, { body, headers: JSON_TYPE });
  expect([created.status, created.json()[field]]).toEqual([201, accepted[0]![1]]);
});

it.each(['"', '\\', '\n', '\u0000', 'title"', 'ti\ttle'])(
  'given a field named %j, the request is refused because the field is unknown',
  async (name) => {
    const input = { title: 'T', author: 'A', price: 1, quantity: 1 };
    const refused = await app.client.post('/books', { ...input, [name]: 'x' });
    refused.problem(400, name.replace(/["\\\p{Cc}]/u, '\ufffd'));
  },
);

it('given a POST in which every field is wrong, the answer names all of them', async () => {
  const refused = await app.client.post('/books', { title: '', author: 1, price: '1', quantity: 0.5, colour: 'x' });
  refused.problem(400, 'title', 'author', 'price', 'quantity', 'colour');
});
