import type { Fields, Scalar } from './document-op.js';

/** `counterBase` is fixed when the document is created: shown counter = `counterBase` + the collection's counter. */
export interface StoredDocument {
  readonly fields: Fields;
  readonly counterBase: number;
}

const COLON = 0x3a;

/**
 * A document as one line of text, `"7":{"name":"Ada","orders_count":3}`: a member of a JSON object, without a newline
 * because JSON writes those in strings as `\n`. The shown counter stands last, so that it can be changed without
 * parsing the rest. The same document always gives the same line.
 */
export class DocumentLines {
  private readonly counterLabel: string;

  constructor(private readonly counterField: string) {
    this.counterLabel = `${JSON.stringify(counterField)}:`;
  }

  format(id: number, { fields, counterBase }: StoredDocument, counter: number): string {
    const own = this.counterField in fields ? { ...fields, [this.counterField]: undefined } : fields;
    const members = JSON.stringify(own).slice(1, -1);
    const separator = members === '' ? '' : ',';
    return `"${String(id)}":{${members}${separator}${this.counterLabel}${String(counterBase + counter)}}`;
  }

  /** `counter` is the one with which the line was formatted. */
  parse(line: string, counter: number): StoredDocument {
    const fields = JSON.parse(line.slice(line.indexOf(':') + 1)) as Record<string, Scalar>;
    const shown = Number(fields[this.counterField]);
    delete fields[this.counterField];
    return { fields, counterBase: shown - counter };
  }
}

/** Where the digits of the shown counter begin in the line that ends before `end`; they end at `end - 1`. */
export function counterOffset(bytes: Buffer, end: number): number {
  let offset = end - 1;
  while (bytes[offset - 1] !== COLON) offset -= 1;
  return offset;
}
