import type { DocumentId, DocumentShape } from './document-op.js';

/**
 * What differs between collections whose ids are whole numbers and those whose ids are text. Ids of one kind are
 * compared with `<`: by value, or by code unit.
 */
export interface IdKind {
  /** Below every id. */
  readonly lowest: DocumentId;
  isId(value: DocumentId): boolean;
  /** The id that is written so. */
  parse(text: string): DocumentId;
  /** Of the document's line at `offset`; not above `lowest` when the line does not begin with one. */
  at(bytes: Buffer, offset: number): DocumentId;
  /** The same ids in the form in which they are kept for long. */
  pack(ids: readonly DocumentId[]): ArrayLike<DocumentId>;
  /** Position of the first of the ascending `ids` that is not below `id`; how many there are when there is none. */
  lowerBound(ids: ArrayLike<DocumentId>, id: DocumentId): number;
  /** The number that this id takes out of those that can be allotted; 0 when it takes none. */
  numberOf(id: DocumentId): number;
}

export const QUOTE = 0x22;
const DIGIT_ZERO = 0x30;
const TEXT_ID = /^[A-Za-z0-9_-]{1,64}$/;
const TEXT_NUMBER = /^[1-9][0-9]{0,14}$/;

/**
 * Both kinds search with a loop of their own: one loop that had met both would be compiled for any value and take twice
 * as long for numbers.
 */
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

/** Whether it can be the id of a document in a collection whose ids are text. */
export function isTextId(text: string): boolean {
  return TEXT_ID.test(text);
}

export function idKindOf({ ids }: DocumentShape): IdKind {
  return ids === 'text' ? TEXT : NUMBERS;
}
