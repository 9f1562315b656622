const SHARD_BITS = 10;
const MIN_SLOTS = 8;
const MAX_LOAD_FACTOR = 0.75;
const EMPTY = 0;
const { imul } = Math;

/** FNV-1a (Fowler, Noll, Vo) over UTF-16 code units, 32 bits, mixed so that every bit affects all others. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** One part of the index: open addressing with linear probing (Knuth 1998, 6.4), deletion by moving entries back. */
class Shard {
  private hashes = new Uint32Array(MIN_SLOTS);
  private references = new Float64Array(MIN_SLOTS);
  private count = 0;

  find(hash: number, isIt: (reference: number) => boolean): number | undefined {
    const slot = this.slotOf(hash, isIt);
    return this.references[slot] === EMPTY ? undefined : this.references[slot];
  }

  set(hash: number, reference: number, replaces: (reference: number) => boolean): void {
    const slot = this.slotOf(hash, replaces);
    if (this.references[slot] === EMPTY) this.count += 1;
    this.hashes[slot] = hash;
    this.references[slot] = reference;
    if (this.count > this.hashes.length * MAX_LOAD_FACTOR) this.resize(2 * this.hashes.length);
  }

  delete(hash: number, reference: number): void {
    let hole = this.slotOf(hash, (other) => other === reference);
    if (this.references[hole] === EMPTY) return;
    const mask = this.hashes.length - 1;
    for (let next = (hole + 1) & mask; this.references[next] !== EMPTY; next = (next + 1) & mask) {
      const home = (this.hashes[next] ?? 0) & mask;
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      this.hashes[hole] = this.hashes[next] ?? 0;
      this.references[hole] = this.references[next] ?? EMPTY;
      hole = next;
    }
    this.references[hole] = EMPTY;
    this.count -= 1;
    if (this.hashes.length > MIN_SLOTS && this.count < this.hashes.length / 8) this.resize(this.hashes.length / 2);
  }

  /** Returns the reference's slot, or the slot where it would go. */
  private slotOf(hash: number, isIt: (reference: number) => boolean): number {
    const mask = this.hashes.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const reference = this.references[slot] ?? EMPTY;
      if (reference === EMPTY || (this.hashes[slot] === hash && isIt(reference))) return slot;
    }
  }

  private resize(slots: number): void {
    const { hashes, references } = this;
    this.hashes = new Uint32Array(slots);
    this.references = new Float64Array(slots);
    for (const [index, reference] of references.entries()) {
      if (reference === EMPTY) continue;
      const slot = this.slotOf(hashes[index] ?? 0, () => false);
      this.hashes[slot] = hashes[index] ?? 0;
      this.references[slot] = reference;
    }
  }
}

/**
 * Finds references (whole numbers from 1) by hash. Each takes about 20 bytes off the heap; an entry of a Map takes a hundred. The
 * index has many shards so that none takes long to grow.
 */
export class HashIndex {
  private readonly shards: (Shard | undefined)[] = Array<undefined>(2 ** SHARD_BITS).fill(undefined);

  /** `isIt` distinguishes the wanted reference from others with the same hash. */
  find(hash: number, isIt: (reference: number) => boolean): number | undefined {
    return this.shards[hash >>> (32 - SHARD_BITS)]?.find(hash, isIt);
  }

  /** Takes the slot of the reference that it `replaces`, if any. */
  set(hash: number, reference: number, replaces: (reference: number) => boolean): void {
    const shard = hash >>> (32 - SHARD_BITS);
    (this.shards[shard] ??= new Shard()).set(hash, reference, replaces);
  }

  /** No effect when another reference has replaced it. */
  delete(hash: number, reference: number): void {
    this.shards[hash >>> (32 - SHARD_BITS)]?.delete(hash, reference);
  }
}
