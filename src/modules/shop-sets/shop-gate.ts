import { Injectable } from '@nestjs/common';
import { AppError } from '../../kernel/index.js';

/** The checkouts that have begun. */
export interface BegunCheckouts {
  /**
   * Resolves when none of them goes on until the returned function is called: what they may still hold is nothing. Rejects with
   * `conflict` while one is under way, or holds something.
   */
  standStill(): Promise<() => void>;
}

/**
 * Invariant: while rows are replaced by a `batch_init`, no checkout is under way, and no other `batch_init`. It is in memory,
 * because one process writes and ends at its start what the last one left.
 */
@Injectable()
export class ShopGate {
  /** The module of checkouts sets it. */
  begun: BegunCheckouts = { standStill: () => Promise.resolve(() => undefined) };
  private beginning = 0;
  /** The rows that are being replaced. */
  private replaced: string | undefined;

  /** Call the returned function once, when the checkout is refused or has begun. Throws `conflict`, with nothing entered. */
  enterCheckout(): () => void {
    this.refuseWhileReplacing();
    this.beginning += 1;
    return () => {
      this.beginning -= 1;
    };
  }

  /** `rows`: for people. Call the returned function when they are replaced. Rejects with `conflict`, with nothing entered. */
  async enterBatchInit(rows: string): Promise<() => void> {
    this.refuseWhileReplacing();
    if (this.beginning > 0) throw checkoutsUnderWay(this.beginning);
    this.replaced = rows;
    const leave = (): void => {
      this.replaced = undefined;
    };
    try {
      const goOn = await this.begun.standStill();
      return () => {
        leave();
        goOn();
      };
    } catch (error) {
      leave();
      throw error;
    }
  }

  private refuseWhileReplacing(): void {
    if (this.replaced !== undefined) throw busy(`a batch_init replaces ${this.replaced}`);
  }
}

export function checkoutsUnderWay(count: number): AppError {
  return busy(count === 1 ? '1 checkout is under way' : `${String(count)} checkouts are under way`);
}

function busy(what: string): AppError {
  return new AppError('conflict', `${what}; nothing was written`, { retry: 'safe', retryAfterSeconds: 1 });
}
