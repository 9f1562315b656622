import type { CapturedState } from '../../../kernel/index.js';
import type { StateHashAt } from './wire.js';

/** A few suffice, because the primary soon asks for the last one. */
const MAX_KEPT = 4;

/** State hashes at the log positions that the primary chose, computed in the background. */
export class StateHashes {
  private readonly kept = new Map<number, Promise<StateHashAt | undefined>>();

  keep(captured: CapturedState): void {
    const { position } = captured;
    if (this.kept.has(position.seq)) return;
    const computed = captured.stateHash().then(
      (stateHash) => ({ position, stateHash }),
      () => undefined,
    );
    this.kept.set(position.seq, computed);
    for (const seq of this.kept.keys()) {
      if (this.kept.size > MAX_KEPT) this.kept.delete(seq);
    }
  }

  /** Resolves when the hash is computed; undefined when it was not kept or could not be computed. */
  async find(seq: number): Promise<StateHashAt | undefined> {
    return this.kept.get(seq);
  }

  forget(): void {
    this.kept.clear();
  }
}
