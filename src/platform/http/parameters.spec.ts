import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isAppError } from '../../kernel/index.js';
import {
  nextPageLink,
  parseAmount,
  parseChoice,
  parseId,
  parsePage,
  parseShopId,
  parseUuid,
  parseUuidPage,
} from './parameters.js';

/** The code and fields that `work` is refused with; undefined when it is not. */
function refusalOf(work: () => unknown): readonly [code: string, ...fields: string[]] | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (!isAppError(error)) throw error;
    return [error.code, ...error.fields.map(({ field }) => field)];
  }
}

describe('an id', () => {
  it('given a whole number from 1 in ordinary form, is read', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (id) => parseId(String(id)) === id));
  });

  it.each(['0', '-1', '01', '1.0', '1e3', ' 1', '1 ', '', '9007199254740992', '9007199254740993', '0x1', '١', 'NaN'])(
    'given %j, is refused as malformed',
    (text) => {
      expect(refusalOf(() => parseId(text))).toEqual(['malformed-id', 'id']);
    },
  );

  it('given any other text, is either refused or written back unchanged', () => {
    fc.assert(
      fc.property(
        fc.string(),
        (text) => refusalOf(() => parseId(text)) !== undefined || String(parseId(text)) === text,
      ),
    );
  });
});

describe('an id of the shop', () => {
  it.each(['0', 'book-1', '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77', 'a'.repeat(64)])('given %j, is read', (text) => {
    expect(parseShopId(text, 'item_id')).toBe(text);
  });

  it.each(['', 'a b', 'a/b', 'ä', '.', 'a'.repeat(65)])('given %j, is refused as malformed', (text) => {
    expect(refusalOf(() => parseShopId(text, 'item_id'))).toEqual(['malformed-id', 'item_id']);
  });
});

describe('an amount', () => {
  it('given a whole number from its minimum to 2^53 - 1, is read', () => {
    expect(['0', '1', '9007199254740991'].map((text) => parseAmount(text, 'amount'))).toEqual([0, 1, 2 ** 53 - 1]);
  });

  it.each(['-1', '01', '1.5', '1e3', '', '9007199254740992', 'x'])('given %j, is refused', (text) => {
    expect(refusalOf(() => parseAmount(text, 'amount'))).toEqual(['validation-failed', 'amount']);
  });

  it('given less than its minimum, is refused', () => {
    expect(refusalOf(() => parseAmount('0', 'quantity', 1))).toEqual(['validation-failed', 'quantity']);
  });
});

describe('a page', () => {
  it('given no parameters, is the first hundred', () => {
    expect(parsePage({})).toEqual({ limit: 100, after: 0 });
  });

  it.each([
    [{ limit: '1' }, { limit: 1, after: 0 }],
    [
      { limit: '1000', after: '9007199254740991' },
      { limit: 1000, after: Number.MAX_SAFE_INTEGER },
    ],
    [
      { after: '0', other: 'x' },
      { limit: 100, after: 0 },
    ],
  ])('given %j, is %j', (query, page) => {
    expect(parsePage(query)).toEqual(page);
  });

  it.each([{ limit: '0' }, { limit: '1001' }, { limit: '' }, { limit: ['1', '2'] }, { limit: '1.0' }, { limit: '-0' }])(
    'given %j, is refused naming limit',
    (query) => {
      expect(refusalOf(() => parsePage(query))).toEqual(['validation-failed', 'limit']);
    },
  );

  it.each([{ after: '-1' }, { after: '9007199254740992' }, { after: [] }])(
    'given %j, is refused naming after',
    (query) => {
      expect(refusalOf(() => parsePage(query))).toEqual(['validation-failed', 'after']);
    },
  );

  it('given a link, is read back from it', () => {
    const link = /\?limit=(\d+)&after=(\d+)>; rel="next"$/.exec(nextPageLink('/books', {}, 7, 42));
    expect(parsePage({ limit: link?.[1], after: link?.[2] })).toEqual({ limit: 7, after: 42 });
  });
});

const UUID = '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77';

describe('a UUID', () => {
  it('given lower case, is read', () => {
    expect(parseUuid(UUID)).toBe(UUID);
    expect(parseUuidPage({ after: UUID, limit: '3' })).toEqual({ after: UUID, limit: 3 });
    expect(parseUuidPage({})).toEqual({ after: '', limit: 100 });
  });

  it.each(['', '1', UUID.toUpperCase(), `${UUID}0`, ` ${UUID}`, UUID.replaceAll('-', ''), `{${UUID}}`])(
    'given %j, is refused as malformed',
    (text) => {
      expect(refusalOf(() => parseUuid(text))).toEqual(['malformed-id', 'id']);
      expect(refusalOf(() => parseUuidPage({ after: text }))).toEqual(['validation-failed', 'after']);
    },
  );
});

describe('a choice', () => {
  it('given an allowed value or none, is read', () => {
    expect(parseChoice({ state: 'b' }, 'state', ['a', 'b'])).toBe('b');
    expect(parseChoice({}, 'state', ['a', 'b'])).toBeUndefined();
  });

  it.each(['', 'c', 'A', ['a', 'b']])('given %j, is refused by name', (state) => {
    expect(refusalOf(() => parseChoice({ state }, 'state', ['a', 'b']))).toEqual(['validation-failed', 'state']);
  });
});

describe('the link to the next page of a list', () => {
  it('keeps all other parameters of the request', () => {
    const query = { after: 'w', state: 'a', min_seq: '1.7', limit: '9', of: ['b&c', 'd'] };
    expect(nextPageLink('/things', query, 2, 'x')).toBe(
      '</things?state=a&min_seq=1.7&of=b%26c&of=d&limit=2&after=x>; rel="next"',
    );
  });
});
