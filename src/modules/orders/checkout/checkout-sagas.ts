import { AppError } from '../../../kernel/index.js';
import type { SqlDatabase } from '../../../platform/sql/index.js';
import type { OpenDelivery, SagaRef, SagaRelay, SqlSagaFile } from '../../../protocols/saga/index.js';
import { type BegunCheckouts, checkoutsUnderWay } from '../../shop-sets/index.js';

export interface StartedCheckout {
  readonly saga: SagaRef;
  readonly data: CheckoutData;
  /** The order's set of rows. */
  readonly setNumber: number;
}

/** What the steps of payment and stock read. Each step hands it on. */
export interface CheckoutData {
  readonly [field: string]: unknown;
  readonly orderId: string;
  readonly userId: string;
  /** Rows of another set than at the start are left alone. */
  readonly userSet: number;
  readonly total: number;
  /** An item may stand in more than one line. */
  readonly lines: readonly (readonly [itemId: string, quantity: number, set: number])[];
}

interface Parts {
  readonly relay: Pick<SagaRelay, 'begun' | 'ended' | 'underWay' | 'parked' | 'drain' | 'pause'>;
  /** The step rows of `orders.db`. */
  readonly file: Pick<SqlSagaFile, 'begin' | 'nextNumberWithin'>;
  readonly writer: Pick<SqlDatabase['writer'], 'run'>;
  /** How long the request of a checkout waits for its end. */
  readonly timeoutMs: number;
}

/** Begins checkouts as sagas. The app makes it before its modules. */
export class CheckoutSagas implements BegunCheckouts {
  readonly timeoutMs: number;

  constructor(private readonly parts: Parts) {
    this.timeoutMs = parts.timeoutMs;
  }

  /**
   * Runs `start`, which writes the checkout under the number given, in the commit that begins its saga: both are durable when it
   * resolves. Rejects with what `start` throws.
   */
  async begin(start: (number: number) => StartedCheckout): Promise<number> {
    const { file, relay, writer } = this.parts;
    const record = await writer.run(() => {
      const { saga, data, setNumber } = start(file.nextNumberWithin());
      return file.begin(saga, data, setNumber);
    });
    relay.begun(record);
    return record.saga.number;
  }

  /**
   * Gives the parked ones a try, so that only a checkout that cannot go on stands in the way of a `batch_init`. A parked checkout that
   * holds nothing yet does not: when its order is replaced, it ends as superseded.
   */
  async standStill(): Promise<() => void> {
    const { relay } = this.parts;
    if (relay.underWay === 0) await relay.drain();
    const pause = relay.pause();
    if ('goOn' in pause) return pause.goOn;
    throw relay.underWay > 0 ? checkoutsUnderWay(relay.underWay) : parkedInTheWay(pause.blockedBy);
  }

  /** How many go on, without the parked ones. */
  get underWay(): number {
    return this.parts.relay.underWay;
  }

  /** How many wait for a drain, or for a person. */
  get parked(): number {
    return this.parts.relay.parked.length;
  }

  /** Resolves when the running checkout has ended. Never rejects. */
  async ended(number: number): Promise<void> {
    await this.parts.relay.ended(number);
  }
}

function parkedInTheWay({ saga, event, to, reason }: OpenDelivery): AppError {
  const why = reason === undefined ? '' : ` (${reason})`;
  return new AppError(
    'conflict',
    `checkout ${saga.id} is parked at ${event} for ${to}${why}, and holds credit or stock; nothing was written: mend the cause, ` +
      `then resume saga ${saga.id}`,
    { retry: 'never' },
  );
}
