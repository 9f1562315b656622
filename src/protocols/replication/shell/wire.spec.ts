import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../../../test/support/any-character.js';
import { isAppError } from '../../../kernel/index.js';
import { EMPTY_REPORT, GENESIS_POSITION, primaryOf, recordsAfter } from '../../../../test/support/replication-world.js';
import {
  decodeAnswer,
  decodeAppend,
  decodeInstall,
  decodePosition,
  decodePromise,
  decodeRecords,
  decodeReport,
  decodeQuarantine,
  decodeStateHash,
  encodeAnswer,
  encodeAppend,
  encodeInstall,
  encodePosition,
  encodePromise,
  encodeRecords,
  encodeReport,
  encodeQuarantine,
  encodeStateHash,
  type ShippedAppend,
} from './wire.js';

const op = fc.record({ type: fc.string(), fields: fc.dictionary(fc.string({ unit: anyCharacter }), fc.jsonValue()) });
const identity = fc.record({
  clusterId: fc.string({ minLength: 1, unit: anyCharacter }),
  epoch: fc.integer({ min: 1 }),
  primaryId: fc.string({ minLength: 1, unit: anyCharacter }),
});
const position = fc.record({
  epoch: fc.nat(),
  seq: fc.nat(),
  hash: fc.string({ minLength: 32, maxLength: 32, unit: fc.constantFrom(...'0123456789abcdef') }),
});
const append: fc.Arbitrary<ShippedAppend> = fc
  .record({
    from: identity,
    after: position,
    durableSeq: fc.nat(),
    ops: fc.array(op),
    primaryUrl: fc.webUrl(),
    audit: fc.boolean(),
  })
  .map(({ ops, ...rest }) => ({ ...rest, records: recordsAfter(rest.after, rest.after.epoch + 1, ops) }));

/** The decoded value; undefined when the decoder refuses it as malformed. */
function attempt<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (isAppError(error, 'malformed-request')) return undefined;
    throw error;
  }
}

describe('an append on the wire', () => {
  it('of any records, is decoded as it was encoded', () => {
    fc.assert(
      fc.property(append, (message) => {
        expect(decodeAppend(encodeAppend(message))).toEqual(message);
      }),
    );
  });

  it('with any byte changed, is refused or decoded to the same content', () => {
    fc.assert(
      fc.property(append, fc.nat(), fc.integer({ min: 1, max: 255 }), (message, at, change) => {
        const bytes = encodeAppend(message);
        const index = at % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ change;
        expect([undefined, message]).toContainEqual(attempt(() => decodeAppend(bytes)));
      }),
      { numRuns: 1_000 },
    );
  });

  it('cut anywhere within a line, is refused', () => {
    fc.assert(
      fc.property(append, fc.nat(), (message, at) => {
        const bytes = encodeAppend(message);
        const length = at % bytes.length;
        fc.pre(bytes[length] !== '\n'.charCodeAt(0));
        expect(attempt(() => decodeAppend(bytes.subarray(0, length)))).toBeUndefined();
      }),
    );
  });

  it('with two records exchanged, left out or sent twice, is refused', () => {
    const [first, second, third] = recordsAfter(GENESIS_POSITION, 1, ['a', 'b', 'c']);
    const lists = [[second, first], [first, third], [first, first], [second]];
    for (const records of lists) {
      const bytes = encodeAppend({
        from: primaryOf(),
        after: GENESIS_POSITION,
        durableSeq: 3,
        records: records.map((record) => record!),
        primaryUrl: 'http://127.0.0.1:5050',
        audit: false,
      });
      expect(() => decodeAppend(bytes)).toThrow(/does not follow the record before it/);
    }
  });

  it.each([
    ['nothing', ''],
    ['no JSON', 'hello'],
    ['JSON without a checksum', '{"from":{}}'],
    ['an array', '[]'],
  ])('that is %s, is refused with one line of text', (_what, text) => {
    expect(() => decodeAppend(Buffer.from(text))).toThrow(/^the checksum of the envelope is wrong$/);
  });
});

describe('the other messages on the wire', () => {
  it('come out as they went in', () => {
    fc.assert(
      fc.property(identity, position, ({ clusterId, epoch, primaryId }, at) => {
        const from = { clusterId, epoch, primaryId };
        expect(decodeQuarantine(encodeQuarantine({ from }))).toEqual({ from });
        expect(decodeInstall(encodeInstall({ from, position: at }))).toEqual({ from, position: at });
        expect(decodePromise(encodePromise({ from: { epoch, primaryId } }))).toEqual({ from: { epoch, primaryId } });
        expect(decodePosition(encodePosition(at))).toEqual(at);
        expect(decodeStateHash(encodeStateHash({ position: at, stateHash: primaryId }))).toEqual({
          position: at,
          stateHash: primaryId,
        });
        const report = { ...EMPTY_REPORT, clusterId, promisedEpoch: epoch, promisedPrimaryId: primaryId, position: at };
        expect(decodeReport(encodeReport(report))).toEqual(report);
        expect(decodeAnswer(encodeAnswer({ verdict: 'gap', report }))).toEqual({ verdict: 'gap', report });
      }),
    );
  });

  it('of an empty replica, are decoded as they were encoded', () => {
    expect(decodeReport(encodeReport(EMPTY_REPORT))).toEqual(EMPTY_REPORT);
  });

  it.each(['', '1', '1.2', '1.2.zz', `-1.2.${'0'.repeat(32)}`, `1.2.${'0'.repeat(33)}`, undefined])(
    'are refused with the position %j',
    (text) => {
      expect(() => decodePosition(text)).toThrow(/a position needs/);
    },
  );

  it.each([
    '{}',
    '{"verdict":"maybe","report":{}}',
    '{"verdict":"accepted","report":null}',
    '{"verdict":"accepted","report":{"promisedEpoch":-1}}',
    '<html>',
  ])('are refused as the answer %s', (text) => {
    expect(attempt(() => decodeAnswer(Buffer.from(text)))).toBeUndefined();
  });
});

describe('requested records', () => {
  it('come out as they went in', () => {
    fc.assert(
      fc.property(fc.array(op), position, (ops, after) => {
        const records = recordsAfter(after, after.epoch + 1, ops);
        expect(decodeRecords(after.seq, encodeRecords(records))).toEqual(records);
      }),
    );
  });

  it('that begin at another number or do not follow each other, are refused', () => {
    const [first, second, third] = recordsAfter(GENESIS_POSITION, 1, ['a', 'b', 'c']);
    expect(() => decodeRecords(0, encodeRecords([second!]))).toThrow(/do not begin with record 1/);
    expect(() => decodeRecords(0, encodeRecords([first!, third!]))).toThrow(/record 2 does not follow/);
  });
});
