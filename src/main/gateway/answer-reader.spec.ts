import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { AnswerHead } from './answer-head.js';
import { AnswerReader } from './answer-reader.js';

interface Read {
  readonly heads: AnswerHead[];
  body: string;
  ended: boolean;
  mayGoOn: boolean;
}

/** Reads one answer that comes in these pieces. Each piece is overwritten when it is read, as a shared buffer is. */
function read(pieces: readonly string[], isHead = false): Read {
  const reader = new AnswerReader();
  const got: Read = { heads: [], body: '', ended: false, mayGoOn: true };
  const bodies: Buffer[] = [];
  reader.expect(
    {
      onHead: (head) => got.heads.push(head),
      onData: (bytes) => bodies.push(bytes),
      onEnd: () => (got.ended = true),
    },
    isHead,
  );
  for (const piece of pieces) {
    const bytes = Buffer.from(piece, 'latin1');
    reader.take(bytes);
    bytes.fill('?');
  }
  return { ...got, body: Buffer.concat(bodies).toString('latin1'), mayGoOn: reader.mayGoOn };
}

function inPieces(text: string, cuts: readonly number[]): string[] {
  const places = [...new Set(cuts.map((cut) => cut % text.length))].toSorted((left, right) => left - right);
  return [0, ...places]
    .map((from, index) => text.slice(from, places[index] ?? text.length))
    .filter((piece) => piece !== '');
}

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

describe('the reader of answers', () => {
  it.each([
    ['with a length', `${OK}content-type: a\r\nContent-Length: 5\r\n\r\nhello`, 'hello'],
    ['with no byte', `${OK}content-length: 0\r\n\r\n`, ''],
    ['in chunks', `${CHUNKED}5\r\nhello\r\n00A;name=value\r\n, to \r\nyou\r\n0\r\n\r\n`, 'hello, to \r\nyou'],
    ['in chunks, with a trailer', `${CHUNKED}1 \r\nx\r\n0\r\nexpires: never\r\n\r\n`, 'x'],
    ['after an early hint', `HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n${OK}content-length: 1\r\n\r\nx`, 'x'],
  ])('given a body %s in any pieces, gives it whole', (_what, text, body) => {
    const whole = read([text]);
    expect([whole.body, whole.ended, whole.mayGoOn, whole.heads.length]).toEqual([body, true, true, 1]);
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 20 }), (cuts) => {
        expect(read(inPieces(text, cuts))).toEqual(whole);
      }),
    );
    expect(read([...text])).toEqual(whole);
    for (let length = 0; length < text.length; length += 1) expect(read([text.slice(0, length)]).ended).toBe(false);
  });

  it('given 204, 304 or an answer to HEAD, expects no body', () => {
    expect(read(['HTTP/1.1 204 No Content\r\n\r\n']).ended).toBe(true);
    expect(read(['HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n']).ended).toBe(true);
    expect(read([`${OK}content-length: 9\r\n\r\n`], true)).toMatchObject({ ended: true, body: '' });
  });

  it('keeps the headers of the answer, and drops those of the connection', () => {
    const { heads, mayGoOn } = read([
      `${OK}Set-Cookie: a=1\r\nset-cookie: b:2\r\nX-Odd:\t\xe4 \r\nEmpty:\r\nX-Hop: 1\r\n` +
        'Connection: close, X-Hop\r\nKeep-Alive: timeout=72\r\nContent-Length: 0\r\n\r\n',
    ]);
    const expected = ['Set-Cookie', 'a=1', 'set-cookie', 'b:2', 'X-Odd', '\xe4', 'Empty', '', 'Content-Length', '0'];
    expect(heads[0]?.lines).toEqual(expected);
    expect(mayGoOn).toBe(false);
  });

  it.each([
    ['no HTTP', 'SSH-2.0-x\r\n\r\n'],
    ['a line without a name', `${OK}: x\r\ncontent-length: 0\r\n\r\n`],
    ['a line without a colon', `${OK}x\r\ncontent-length: 0\r\n\r\n`],
    ['two lengths', `${OK}content-length: 1\r\ncontent-length: 2\r\n\r\nxx`],
    ['a length that is no number', `${OK}content-length: -1\r\n\r\n`],
    ['no length', `${OK}content-type: a\r\n\r\n`],
    ['another coding', `${OK}transfer-encoding: gzip, chunked\r\n\r\n`],
    ['a length and chunks', `${OK}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`],
    ['a chunk without a size', `${CHUNKED}x\r\n\r\n`],
    ['a chunk that is longer than it says', `${CHUNKED}1\r\nxy\r\n0\r\n\r\n`],
    ['bytes after the answer', `${OK}content-length: 1\r\n\r\nxy`],
    ['a head without an end', `${OK}${'x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n'.repeat(2_000)}`],
    ['a line between chunks without an end', `${CHUNKED}1;${'x'.repeat(2_000)}`],
  ])('given %s, refuses to go on', (_what, text) => {
    expect(() => read([text])).toThrow('the app cannot be understood');
    expect(() => read(inPieces(text, [1, 20, 24, 45, 50]))).toThrow('the app cannot be understood');
  });
});
