/** Of a record in the documents' history, without the hash that proves it. */
export interface Place {
  readonly epoch: number;
  readonly seq: number;
}

/** As people and clients see it: `<epoch>.<seq>`. */
export function placeText({ epoch, seq }: Place): string {
  return `${String(epoch)}.${String(seq)}`;
}

/** NaN for what is no number. */
export function parsePlace(text: string): Place {
  const [epoch = NaN, seq = NaN] = text.split('.').map(Number);
  return { epoch, seq };
}
