import type { DocumentId, DocumentShape } from './document-op.js';

/**
 * The differences between collections with numeric ids and those with text ids. Ids compare with `<`: by value or by code unit.
 */
export interface IdKind {
  readonly lowest: DocumentId;
  isId(value: DocumentId): boolean;
  parse(text: string): DocumentId;
  /** The id of the document's line at `offset`; not above `lowest` when the line does not begin with an id. */
  at(bytes: Buffer, offset: number): DocumentId;
  /** Returns the same ids in a compact form for long storage. */
  pack(ids: readonly DocumentId[]): ArrayLike<DocumentId>;
  /** The position of the first of the ascending `ids` that is not below `id`; their number when there is none. */
  lowerBound(ids: ArrayLike<DocumentId>, id: DocumentId): number;
  /** The number that this id uses up among those that can be assigned; 0 for none. */
  numberOf(id: DocumentId): number;
}

export const QUOTE = 0x22;
const DIGIT_ZERO = 0x30;
const TEXT_ID = /^[A-Za-z0-9_-]{1,64}$/;
const TEXT_NUMBER = /^[1-9][0-9]{0,14}$/;

/** Each kind has a search loop of its own: a shared loop would be compiled for any value and take twice as long for numbers. */
const NUMBERS: IdKind = {
  lowest: -Infinity,
  isId: (value) => Number.isSafeInteger(value) && Number(value) >= 1,
  parse: Number,
  at: (bytes, offset) => {
    if (bytes[offset] !== QUOTE) return NaN;
    let id = 0;
    for (let at = offset + 1; bytes[at] !== QUOTE; at += 1) id = id * 10 + ((bytes[at] ?? NaN) - DIGIT_ZERO);
    return id;
  },
  pack: (ids) => new Float64Array(ids as readonly number[]),
  lowerBound: (ids, id) => {
    let low = 0;
    let high = ids.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ids[middle] ?? Infinity) < id) low = middle + 1;
      else high = middle;
    }
    return low;
  },
  numberOf: Number,
};

const TEXT: IdKind = {
  lowest: '',
  isId: (value) => typeof value === 'string' && isTextId(value),
  parse: (text) => text,
  at: (bytes, offset) => {
    if (bytes[offset] !== QUOTE) return '';
    const id = bytes.toString('latin1', offset + 1, bytes.indexOf(QUOTE, offset + 1));
    return isTextId(id) ? id : '';
  },
  pack: (ids) => [...ids],
  lowerBound: (ids, id) => {
    let low = 0;
    let high = ids.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ids[middle] ?? '') < id) low = middle + 1;
      else high = middle;
    }
    return low;
  },
  numberOf: (id) => (TEXT_NUMBER.test(String(id)) ? Number(id) : 0),
};

export function isTextId(text: string): boolean {
  return TEXT_ID.test(text);
}

export function idKindOf({ ids }: DocumentShape): IdKind {
  return ids === 'text' ? TEXT : NUMBERS;
}
