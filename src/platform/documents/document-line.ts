import type { DocumentId, DocumentShape, Fields, Scalar } from './document-op.js';
import { type IdKind, idKindOf } from './id-kind.js';

/** `counterBase` is fixed when the document is created: shown counter = `counterBase` + the collection's counter. */
export interface StoredDocument {
  readonly fields: Fields;
  readonly counterBase: number;
}

const COLON = 0x3a;

/**
 * A document as one line of text, `"7":{"name":"Ada","orders_count":3}`: a member of a JSON object, without a newline
 * because JSON writes those in strings as `\n`. The shown counter, where there is one, stands last, so that it can be
 * changed without parsing the rest. The same document always gives the same line.
 */
export class DocumentLines {
  readonly ids: IdKind;
  private readonly counterField: string | undefined;
  private readonly counterLabel: string;

  constructor(shape: DocumentShape) {
    this.ids = idKindOf(shape);
    this.counterField = shape.counterField;
    this.counterLabel = `${JSON.stringify(this.counterField)}:`;
  }

  /** Whether a line is another one when the collection's counter has moved. */
  get showCounter(): boolean {
    return this.counterField !== undefined;
  }

  format(id: DocumentId, { fields, counterBase }: StoredDocument, counter: number): string {
    if (this.counterField === undefined) return `"${String(id)}":${JSON.stringify(fields)}`;
    const own = this.counterField in fields ? { ...fields, [this.counterField]: undefined } : fields;
    const members = JSON.stringify(own).slice(1, -1);
    const separator = members === '' ? '' : ',';
    return `"${String(id)}":{${members}${separator}${this.counterLabel}${String(counterBase + counter)}}`;
  }

  /** `counter` is the one with which the line was formatted. */
  parse(line: string, counter: number): StoredDocument {
    return this.stored(JSON.parse(line.slice(line.indexOf(':') + 1)) as Record<string, Scalar>, counter);
  }

  /** What is shown as `members` as of `counter`; takes them over. */
  stored(members: Record<string, Scalar>, counter: number): StoredDocument {
    if (this.counterField === undefined) return { fields: members, counterBase: 0 };
    const shown = Number(members[this.counterField] ?? 0);
    delete members[this.counterField];
    return { fields: members, counterBase: shown - counter };
  }
}

/** Where the digits of the shown counter begin in the line that ends before `end`; they end at `end - 1`. */
export function counterOffset(bytes: Buffer, end: number): number {
  let offset = end - 1;
  while (bytes[offset - 1] !== COLON) offset -= 1;
  return offset;
}
