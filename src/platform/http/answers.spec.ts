import { describe, expect, it } from '@jest/globals';
import { PREPARED_BODY_BYTES, prepareBody } from './answers.js';

describe('a prepared body as bytes', () => {
  it.each([
    ['without headers of its own', '{"title":"Faust"}', []],
    [
      'with its own headers, and lines and other alphabets in the body',
      '["Ä\n✓"]',
      ['X-Total-Count', '2', 'Link', '</b>; rel="next"'],
    ],
    ['that is empty', '', []],
  ])('%s, is equal after encoding and decoding', (_what, body, headers) => {
    const prepared = prepareBody(body, headers);

    expect(PREPARED_BODY_BYTES.decode(PREPARED_BODY_BYTES.encode(prepared))).toEqual(prepared);
  });

  it('given damaged bytes, throws', () => {
    expect(() => PREPARED_BODY_BYTES.decode(Buffer.from('no line'))).toThrow(SyntaxError);
  });
});
