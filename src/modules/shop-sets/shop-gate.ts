import { Injectable } from '@nestjs/common';
import { AppError } from '../../kernel/index.js';

/**
 * Invariant: while rows are replaced by a `batch_init`, no checkout is under way, and no other `batch_init`. It is in memory,
 * because one process writes and ends at its start what the last one left.
 */
@Injectable()
export class ShopGate {
  private checkouts = 0;
  /** The rows that are being replaced. */
  private replaced: string | undefined;

  /** Call the returned function once, when the checkout has ended or is parked. Throws `conflict`, with nothing entered. */
  enterCheckout(): () => void {
    this.refuseWhileReplacing();
    this.checkouts += 1;
    return () => {
      this.checkouts -= 1;
    };
  }

  /** `rows`: for people. Call the returned function when they are replaced. Throws `conflict`, with nothing entered. */
  enterBatchInit(rows: string): () => void {
    this.refuseWhileReplacing();
    if (this.checkouts > 0) {
      throw busy(`${String(this.checkouts)} checkouts are under way`);
    }
    this.replaced = rows;
    return () => {
      this.replaced = undefined;
    };
  }

  private refuseWhileReplacing(): void {
    if (this.replaced !== undefined) throw busy(`a batch_init replaces ${this.replaced}`);
  }
}

function busy(what: string): AppError {
  return new AppError('conflict', `${what}; nothing was written`, { retry: 'safe', retryAfterSeconds: 1 });
}
