const BITS = 2 ** 23;
const BITS_PER_WORD = 32;
/** Scopes are hashes, so a few of their characters differ in nearly all of them. */
const READ_CHARACTERS = 8;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * Remembers scopes for at least `keptMs`, in two megabytes however many there are (a Bloom filter with one hash, in two
 * generations). It never forgets a scope earlier. It may take a new one for a known one: of 100,000 scopes about one in a hundred.
 */
export class RecentScopes {
  private present = new Uint32Array(BITS / BITS_PER_WORD);
  private former = new Uint32Array(BITS / BITS_PER_WORD);
  private sinceMs: number;

  constructor(
    private readonly nowMs: () => number,
    private readonly keptMs: number,
  ) {
    this.sinceMs = nowMs();
  }

  add(scope: string): void {
    this.turn();
    const bit = bitOf(scope);
    const word = bit >>> 5;
    this.present[word] = (this.present[word] ?? 0) | (1 << (bit & 31));
  }

  /** False only when it was not added within `keptMs`. */
  has(scope: string): boolean {
    const bit = bitOf(scope);
    const word = bit >>> 5;
    return (((this.present[word] ?? 0) | (this.former[word] ?? 0)) & (1 << (bit & 31))) !== 0;
  }

  private turn(): void {
    const now = this.nowMs();
    if (now - this.sinceMs < this.keptMs) return;
    this.sinceMs = now;
    [this.present, this.former] = [this.former, this.present];
    this.present.fill(0);
  }
}

function bitOf(scope: string): number {
  let hash = FNV_OFFSET;
  for (let index = 0; index < READ_CHARACTERS; index += 1) hash = Math.imul(hash ^ scope.charCodeAt(index), FNV_PRIME);
  return (hash >>> 0) % BITS;
}
