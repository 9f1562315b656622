import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isAppError } from '../../kernel/index.js';
import { nextPageLink, parseId, parsePage } from './parameters.js';

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
  it('that is a whole number from 1 as everyone writes it, is read', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (id) => parseId(String(id)) === id));
  });

  it.each(['0', '-1', '01', '1.0', '1e3', ' 1', '1 ', '', '9007199254740992', '9007199254740993', '0x1', '١', 'NaN'])(
    'that is %j, is refused as malformed',
    (text) => {
      expect(refusalOf(() => parseId(text))).toEqual(['malformed-id', 'id']);
    },
  );

  it('that is any other text, is either refused or written back the same', () => {
    fc.assert(
      fc.property(
        fc.string(),
        (text) => refusalOf(() => parseId(text)) !== undefined || String(parseId(text)) === text,
      ),
    );
  });
});

describe('a page', () => {
  it('without parameters, is the first hundred', () => {
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
  ])('asked for by %j, is %j', (query, page) => {
    expect(parsePage(query)).toEqual(page);
  });

  it.each([{ limit: '0' }, { limit: '1001' }, { limit: '' }, { limit: ['1', '2'] }, { limit: '1.0' }, { limit: '-0' }])(
    'asked for by %j, is refused naming limit',
    (query) => {
      expect(refusalOf(() => parsePage(query))).toEqual(['validation-failed', 'limit']);
    },
  );

  it.each([{ after: '-1' }, { after: '9007199254740992' }, { after: [] }])(
    'asked for by %j, is refused naming after',
    (query) => {
      expect(refusalOf(() => parsePage(query))).toEqual(['validation-failed', 'after']);
    },
  );

  it('linked to, is read back from its link', () => {
    const link = /\?limit=(\d+)&after=(\d+)>; rel="next"$/.exec(nextPageLink('/books', 7, 42));
    expect(parsePage({ limit: link?.[1], after: link?.[2] })).toEqual({ limit: 7, after: 42 });
  });
});
