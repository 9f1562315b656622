import type { SeededRandom } from './seeded-random.js';

type Change = { readonly offset: number; readonly bytes: Buffer } | { readonly length: number };

/** Small, so that even short writes span several and can arrive out of order. */
const SECTOR_BYTES = 64;

/** One file's bytes as a program sees them and as the disk holds them. */
export class SimulatedFile {
  private visible: Buffer;
  private unsynchronised: Change[] = [];

  constructor(private durable: Buffer = Buffer.alloc(0)) {
    this.visible = durable;
  }

  /** A copy. */
  get content(): Buffer {
    return Buffer.from(this.visible);
  }

  /** A copy. */
  part(offset: number, length: number): Buffer {
    return Buffer.from(this.visible.subarray(offset, offset + length));
  }

  get size(): number {
    return this.visible.length;
  }

  write(bytes: Uint8Array, offset: number): void {
    this.change({ offset, bytes: Buffer.from(bytes) });
  }

  truncate(length: number): void {
    this.change({ length });
  }

  synchronize(): void {
    this.durable = this.unsynchronised.reduce(applied, this.durable);
    this.unsynchronised = [];
  }

  /**
   * As Linux does it ("fsyncgate", 2018): what did not reach the disk stays readable but counts as clean, so that no
   * later synchronisation writes it. Only writing it again does. A length is kept by the file system itself and waits on.
   */
  failSynchronize(random: SeededRandom): void {
    this.durable = this.survivors(random);
    this.unsynchronised = this.unsynchronised.filter((change) => 'length' in change);
  }

  losePower(random: SeededRandom): void {
    this.durable = this.survivors(random);
    this.visible = this.durable;
    this.unsynchronised = [];
  }

  private change(change: Change): void {
    this.visible = applied(this.visible, change);
    this.unsynchronised.push(change);
  }

  private survivors(random: SeededRandom): Buffer {
    const content = this.unsynchronised.flatMap((change) => survivorsOf(change, random)).reduce(applied, this.durable);
    const grown = this.visible.length - content.length;
    const hasLengthWithoutBytes = grown > 0 && random.chance(0.2);
    return hasLengthWithoutBytes ? applied(content, { length: content.length + random.below(grown + 1) }) : content;
  }
}

function applied(content: Buffer, change: Change): Buffer {
  if ('length' in change) {
    const kept = content.subarray(0, change.length);
    return Buffer.concat([kept, Buffer.alloc(change.length - kept.length)]);
  }
  const end = change.offset + change.bytes.length;
  const result = Buffer.alloc(Math.max(content.length, end));
  content.copy(result);
  change.bytes.copy(result, change.offset);
  return result;
}

/** Lost, kept, cut at any byte, or any choice of its sectors. */
function survivorsOf(change: Change, random: SeededRandom): Change[] {
  const fate = random.below(4);
  if (fate === 0) return [];
  if (fate === 1 || 'length' in change) return [change];
  const { offset, bytes } = change;
  if (fate === 2) return [{ offset, bytes: bytes.subarray(0, random.below(bytes.length + 1)) }];
  const sectors: Change[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = start + SECTOR_BYTES - ((offset + start) % SECTOR_BYTES);
    if (random.chance(0.5)) sectors.push({ offset: offset + start, bytes: bytes.subarray(start, end) });
    start = end;
  }
  return sectors;
}
