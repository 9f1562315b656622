import type { SagaData, SagaParticipant, StepOutcome } from '../../protocols/saga/index.js';
import { type AppError } from '../../kernel/index.js';
import { noItem, type StockItem, taken, tooLittleStock } from './stock-item.js';
import type { StockRepository } from './stock.repository.js';

/** What `take` reads of an event, and hands on with the rest. An item that stands in several lines is taken once, with their sum. */
export interface OrderedItems {
  /** `setNumber` is that of the item when the lines were frozen: an item that `batch_init` has replaced since is not taken. */
  readonly lines: readonly (readonly [itemId: string, quantity: number, setNumber?: number])[];
}

interface Wanted {
  readonly quantity: number;
  readonly setNumber: number | undefined;
}

/** The steps of a checkout in `bookstore.db`. */
export function stockSteps(items: StockRepository): SagaParticipant['steps'] {
  return {
    /** Takes all lines, or nothing. Nothing takes it back: a checkout whose stock is taken ends as paid, and until then no row is replaced. */
    take: (scope, _saga, data): StepOutcome => {
      const after: StockItem[] = [];
      for (const [id, wanted] of wantedOf((data as unknown as OrderedItems).lines)) {
        const item = items.findWithinWrite(id);
        if (item === undefined) return refused(data, id, noItem(id));
        if (wanted.setNumber !== undefined && wanted.setNumber !== item.setNumber) return superseded(data, id);
        if (wanted.quantity > item.stock) return refused(data, id, tooLittleStock(item, wanted.quantity));
        after.push(taken(item, wanted.quantity));
      }
      for (const item of after) items.put(scope, item);
      return { event: 'stock-taken', data, set: Math.max(0, ...after.map(({ setNumber }) => setNumber)) };
    },
  };
}

function wantedOf(lines: OrderedItems['lines']): ReadonlyMap<string, Wanted> {
  const wanted = new Map<string, Wanted>();
  for (const [id, quantity, setNumber] of lines) {
    wanted.set(id, { quantity: quantity + (wanted.get(id)?.quantity ?? 0), setNumber });
  }
  return wanted;
}

/** Told with the refusal, so that the saga ends as superseded. */
function superseded(data: SagaData, itemId: string): StepOutcome {
  const message = `item ${itemId} was replaced by batch_init during the checkout`;
  return { event: 'stock-refused', data: { ...data, itemId, code: 'conflict', message, isSuperseded: true } };
}

function refused(data: object, itemId: string, { code, message }: AppError): StepOutcome {
  return { event: 'stock-refused', data: { ...data, itemId, code, message } };
}
