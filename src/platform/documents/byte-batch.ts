const MAX_BYTES_PER_CHARACTER = 3;

/** Joins pieces into one run of bytes and reuses the same memory each time. */
export class ByteBatch {
  private bytes: Buffer;
  private length = 0;

  constructor(expectedBytes: number) {
    this.bytes = Buffer.allocUnsafeSlow(expectedBytes);
  }

  get size(): number {
    return this.length;
  }

  addText(text: string): void {
    this.makeRoom(text.length * MAX_BYTES_PER_CHARACTER);
    this.length += this.bytes.write(text, this.length);
  }

  addBytes(source: Buffer, start = 0, end = source.length): void {
    this.makeRoom(end - start);
    this.length += source.copy(this.bytes, this.length, start, end);
  }

  /** Returns the bytes added since the last call. They are valid until the next addition. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.length);
    this.length = 0;
    return taken;
  }

  private makeRoom(maxBytes: number): void {
    const needed = this.length + maxBytes;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.bytes.length));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }
}
