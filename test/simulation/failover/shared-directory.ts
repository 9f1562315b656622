/** What outlives the processes: the lock, the epoch, and a sum with the keys that were added to it. */
export class SharedDirectory {
  epoch = 0;
  sum = 0;
  readonly keys = new Set<number>();
  private holder: number | undefined;

  constructor(private readonly isEpochChecked: boolean) {}

  takeLock(pid: number): boolean {
    this.holder ??= pid;
    return this.holder === pid;
  }

  isHeldBy(pid: number): boolean {
    return this.holder === pid;
  }

  release(pid: number): void {
    if (this.holder === pid) this.holder = undefined;
  }

  /** The lock says yes once more, although its holder lives: a file system without locks, or somebody who deletes the file. */
  fail(): void {
    this.holder = undefined;
  }

  takeEpoch(): number {
    return (this.epoch += 1);
  }

  /** One transaction. Returns whether the key is in it. A key counts once. */
  commit(epoch: number, key: number, read: number): boolean {
    if (this.isEpochChecked && epoch !== this.epoch) return false;
    if (this.keys.has(key)) return true;
    this.keys.add(key);
    this.sum = read + 1;
    return true;
  }
}
