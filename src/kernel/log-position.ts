/** Of a record in the documents' history, without the hash that proves it. */
export interface LogPosition {
  readonly epoch: number;
  readonly seq: number;
}

/** As people and clients see it: `<epoch>.<seq>`. */
export function logPositionText({ epoch, seq }: LogPosition): string {
  return `${String(epoch)}.${String(seq)}`;
}

/** NaN for what is no number. */
export function parseLogPosition(text: string): LogPosition {
  const [epoch = NaN, seq = NaN] = text.split('.').map(Number);
  return { epoch, seq };
}
