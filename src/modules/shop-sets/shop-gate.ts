import { Injectable } from '@nestjs/common';
import { AppError } from '../../kernel/index.js';

/**
 * Invariant: while rows are replaced by a `batch_init`, no checkout is under way, and no other `batch_init`. It is in memory,
 * because one process writes and ends at its start what the last one left.
 */
@Injectable()
export class ShopGate {
  /** Counts the checkouts that go on after they have begun, without the parked ones. The module of checkouts sets it. */
  goingOn: () => number = () => 0;
  private beginning = 0;
  /** The rows that are being replaced. */
  private replaced: string | undefined;

  /** Call the returned function once, when the checkout is refused, or when `goingOn` counts it. Throws `conflict`, with nothing entered. */
  enterCheckout(): () => void {
    this.refuseWhileReplacing();
    this.beginning += 1;
    return () => {
      this.beginning -= 1;
    };
  }

  /** `rows`: for people. Call the returned function when they are replaced. Throws `conflict`, with nothing entered. */
  enterBatchInit(rows: string): () => void {
    this.refuseWhileReplacing();
    const checkouts = this.beginning + this.goingOn();
    if (checkouts > 0) throw busy(`${String(checkouts)} checkouts are under way`);
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
