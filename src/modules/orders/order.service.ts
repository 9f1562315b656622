import { AppError } from '../../kernel/index.js';
import type { RecordedAnswer, Recording } from '../../platform/sql/index.js';
import type { OpenSqlFile } from '../store-registration/index.js';
import { noOrder, type Order, refusalUnlessOpen, withLine } from './order.js';
import type { OrderRepository } from './order.repository.js';

export interface OrderOutcome {
  readonly change: 'created' | 'changed';
  readonly order: Order;
}

/** What orders ask of other modules. Sees every commit before the call. */
export interface ShopQueries {
  /** The number of the user's set of rows. Throws `not-found`. */
  userSet(userId: string): number;
  /** Those of the items that exist, by id. Prices are in the smallest unit. */
  items(ids: readonly string[]): ReadonlyMap<string, { readonly price: number; readonly setNumber: number }>;
}

type OrderRecording = Recording<OrderOutcome>;

export class OrderService {
  constructor(
    private readonly file: OpenSqlFile,
    private readonly orders: OrderRepository,
    private readonly queries: ShopQueries,
    private readonly newId: () => string,
  ) {}

  /** Rejects with `not-found` when the user does not exist. */
  async create(userId: string, recording: OrderRecording): Promise<RecordedAnswer> {
    this.queries.userSet(userId);
    return this.write(recording, () => {
      const order: Order = { id: this.newId(), userId, state: 'open', sagaNumber: null, lines: [], setNumber: 0 };
      return { change: 'created', order };
    });
  }

  /** Rejects with `not-found`, or with `conflict` when the order is not open or takes no such line. */
  async addItem(
    id: string,
    { itemId, quantity }: { readonly itemId: string; readonly quantity: number },
    recording: OrderRecording,
  ): Promise<RecordedAnswer> {
    const item = this.queries.items([itemId]).get(itemId);
    return this.write(recording, () => {
      const order = this.orders.findWithinWrite(id);
      if (order === undefined) throw noOrder(id);
      if (item === undefined) throw noItem(itemId);
      const refusal = refusalUnlessOpen(order);
      if (refusal) throw refusal;
      return { change: 'changed', order: withLine(order, { itemId, quantity, price: item.price }) };
    });
  }

  /** Throws `not-found`. */
  find(id: string): Order {
    const order = this.orders.find(id);
    if (order === undefined) throw noOrder(id);
    return order;
  }

  private write(recording: OrderRecording, work: () => OrderOutcome): Promise<RecordedAnswer> {
    const { database, operations } = this.file;
    return database.writer.run(() => {
      const outcome = work();
      this.orders.put(outcome.order);
      return operations.record(recording, outcome);
    });
  }
}

function noItem(id: string): AppError {
  return new AppError('not-found', `item ${id} does not exist`, { retry: 'never' });
}
