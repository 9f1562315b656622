/** Whole numbers in ascending order. Adding at the end is O(1), which is where new ids go. */
export class SortedIds {
  private readonly ids: number[] = [];

  get size(): number {
    return this.ids.length;
  }

  /** `id` must not be contained. */
  add(id: number): void {
    const last = this.ids.at(-1);
    if (last === undefined || last < id) this.ids.push(id);
    else this.ids.splice(this.firstIndexAbove(id), 0, id);
  }

  /** `id` must be contained. */
  remove(id: number): void {
    this.ids.splice(this.firstIndexAbove(id) - 1, 1);
  }

  /** At most `limit` ids greater than `after`. */
  page(after: number, limit: number): readonly number[] {
    const start = this.firstIndexAbove(after);
    return this.ids.slice(start, start + limit);
  }

  private firstIndexAbove(id: number): number {
    let low = 0;
    let high = this.ids.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.ids[middle] ?? Infinity) > id) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
