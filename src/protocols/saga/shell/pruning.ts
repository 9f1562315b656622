/**
 * Forgets ended sagas in all files.
 *
 * Invariant: the file of the participant that starts sagas forgets a saga first, so that it never holds one whose rows another file
 * has deleted; the other files follow it up to the same number, in this round or in a later one.
 */

/** The step rows of one participant. */
export interface PrunedFile {
  /** The rows of sagas with a lower number may be gone. */
  readonly prunedBelow: number;
  /**
   * Raises the point and deletes the rows below it, in one commit or several; `alongside` runs inside the first of them. It does nothing
   * where there is nothing to do. Durable when it resolves. No saga below the point may be running.
   */
  prune(point: number, alongside?: () => void): Promise<void>;
}

/** The participant that starts sagas. */
export interface SagaOwner {
  /** The number below which every saga from `from` on has ended and need no longer be kept; `from` when there is none. */
  prunePoint(from: number): number;
  /** Deletes what the owner itself keeps of the sagas below. Runs inside work of its file's write executor. */
  deleteBelow(point: number): void;
}

export class SagaPruning {
  private isStopping = false;

  /** `first` is the file of the owner. */
  constructor(
    private readonly owner: SagaOwner,
    private readonly first: PrunedFile,
    private readonly others: readonly PrunedFile[],
  ) {}

  /** Resolves when nothing is left to forget, or soon after `stop`. */
  async run(): Promise<void> {
    const { owner, first, others } = this;
    // What an earlier round has left, because a disk was full or the process died.
    let point = first.prunedBelow;
    for (;;) {
      for (const file of [first, ...others]) {
        if (this.isStopping) return;
        await file.prune(point);
      }
      const next = owner.prunePoint(point);
      if (next <= point || this.isStopping) return;
      point = next;
      await first.prune(point, () => {
        owner.deleteBelow(next);
      });
    }
  }

  /** No commit follows the one that is under way. */
  stop(): void {
    this.isStopping = true;
  }
}
