import type { CapturedState } from '../../../kernel/index.js';
import type { StateHashAt } from './wire.js';

/** The primary asks for the last one, soon. */
const MAX_KEPT = 4;

/** State hashes at the places where the primary wanted them, computed in the background. */
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

  /** Resolves when it is computed; undefined when it was not kept or could not be computed. */
  async find(seq: number): Promise<StateHashAt | undefined> {
    return this.kept.get(seq);
  }

  forget(): void {
    this.kept.clear();
  }
}
