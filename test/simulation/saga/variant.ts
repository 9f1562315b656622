import {
  defineSaga,
  SagaDefinition,
  type SagaStep,
  type SagaTable,
} from '../../../src/protocols/saga/core/definition.js';
import { SHOP_SAGA } from '../../support/shop-saga.js';

/** The rules that a simulation can drop; REAL drops none. */
export interface Variant {
  readonly definition: SagaDefinition;
  /** The outbox mark is written in the commit of the step. */
  readonly marksOutboxInCommit: boolean;
  /** A step looks for its row before its work. */
  readonly looksForRow: boolean;
  /** An undo without its step leaves a row, which a later step minds. */
  readonly leavesTombstones: boolean;
  /** A try that has not been answered is told as refused. */
  readonly timeoutsRefuse: boolean;
  /** An event is noted as delivered when it is sent. */
  readonly notesEarly: boolean;
  /** `batch_init` replaces nothing unless the relay pauses. */
  readonly pausesToReplace: boolean;
}

export const REAL: Variant = {
  definition: defineSaga({ ...SHOP_SAGA, retry: { attempts: 5, baseMs: 5, maxMs: 100 } }),
  marksOutboxInCommit: true,
  looksForRow: true,
  leavesTombstones: true,
  timeoutsRefuse: false,
  notesEarly: false,
  pausesToReplace: true,
};

type Change = Partial<SagaStep>;

/** Without the checks of a table, which refuse some of these. */
function tableWith(
  changes: Readonly<Record<string, Change>>,
  more: readonly SagaStep[] = [],
  ends = SHOP_SAGA.ends,
): Variant {
  const steps = SHOP_SAGA.steps.map((step) => ({ ...step, ...changes[step.step] }));
  const table: SagaTable = { ...SHOP_SAGA, steps: [...steps, ...more], ends };
  return { ...REAL, definition: new SagaDefinition({ ...table, retry: { attempts: 5, baseMs: 5, maxMs: 100 } }) };
}

export const PLANTED: Readonly<Record<string, Variant>> = {
  'compensate out of order': tableWith(
    { unlock: { on: ['credit-refused', 'stock-refused'] }, void: { on: ['order-unlocked'] } },
    [],
    { 'order-paid': 'completed', 'credit-voided': 'refused' },
  ),
  'outbox outside the transaction': { ...REAL, marksOutboxInCommit: false },
  'take stock before authorising': tableWith(
    {
      take: { on: ['checkout-started'], undo: 'put-back' },
      authorise: { on: ['stock-taken'] },
      capture: { on: ['credit-authorised'] },
      unlock: { on: ['stock-refused', 'stock-put-back', 'credit-voided'] },
      void: { on: [] },
    },
    [{ step: 'put-back', by: 'stock', on: ['credit-refused'], done: 'stock-put-back' }],
  ),
  'capture before taking': tableWith(
    {
      capture: { on: ['credit-authorised'], undo: 'refund' },
      take: { on: ['credit-captured'] },
      'mark-paid': { on: ['stock-taken'] },
      void: { on: ['credit-refunded'] },
    },
    [{ step: 'refund', by: 'payment', on: ['stock-refused'], done: 'credit-refunded' }],
  ),
  'void before a late authorise': { ...REAL, leavesTombstones: false },
  'a timeout compensates': { ...REAL, timeoutsRefuse: true },
  'paid before captured': tableWith({ 'mark-paid': { on: ['stock-taken'] }, capture: { on: ['order-paid'] } }, [], {
    'credit-captured': 'completed',
    'order-unlocked': 'refused',
  }),
  'a step does not look for its row': { ...REAL, looksForRow: false },
  'orders are replaced without a pause': { ...REAL, pausesToReplace: false },
  'an event is noted as delivered when it is sent': { ...REAL, notesEarly: true },
};
