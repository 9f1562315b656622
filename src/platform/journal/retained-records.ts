/** The records that readers of a journal still need. */
export class RetainedRecords {
  private readonly floors = new Set<{ readonly seq: number }>();

  /** Keeps the records from `seq` on until the returned function is called. */
  add(seq: number): () => void {
    const floor = { seq };
    this.floors.add(floor);
    return () => {
      this.floors.delete(floor);
    };
  }

  /** The last record up to `seq` that may be removed with all before it. */
  removable(seq: number): number {
    return Math.min(seq, ...[...this.floors].map((floor) => floor.seq - 1));
  }
}
