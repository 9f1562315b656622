import type { DocumentId, DocumentShape, Fields, Scalar } from './document-op.js';
import { type IdKind, idKindOf } from './id-kind.js';

/** `counterBase` is fixed at creation: shown counter = `counterBase` + the collection's counter. */
export interface StoredDocument {
  readonly fields: Fields;
  readonly counterBase: number;
}

const COLON = 0x3a;

/**
 * Formats a document as one line of text, `"7":{"name":"Ada","orders_count":3}`: a member of a JSON object, without a newline
 * because JSON escapes it. The shown counter comes last so that it can change without parsing the rest. The same document always
 * gives the same line.
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

  /** Whether a change of the collection's counter changes the lines. */
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

  /** `counter` is the value with which the line was formatted. */
  parse(line: string, counter: number): StoredDocument {
    return this.stored(JSON.parse(line.slice(line.indexOf(':') + 1)) as Record<string, Scalar>, counter);
  }

  /** Converts `members`, shown as of `counter`, and takes ownership of them. */
  stored(members: Record<string, Scalar>, counter: number): StoredDocument {
    if (this.counterField === undefined) return { fields: members, counterBase: 0 };
    const shown = Number(members[this.counterField] ?? 0);
    delete members[this.counterField];
    return { fields: members, counterBase: shown - counter };
  }
}

/** The offset of the shown counter's digits in the line that ends before `end`; they end at `end - 1`. */
export function counterOffset(bytes: Buffer, end: number): number {
  let offset = end - 1;
  while (bytes[offset - 1] !== COLON) offset -= 1;
  return offset;
}
