import { GENESIS } from '../../../src/kernel/index.js';
import { DocumentMachine, type DocumentsSnapshot } from '../../../src/platform/documents/document-machine.js';
import type { DocumentOp } from '../../../src/platform/documents/index.js';
import type { JournalRecord } from '../../../src/platform/journal/index.js';
import type {
  Decision,
  DecisionDetails,
  LastResource,
  Participant,
  TransactionId,
} from '../../../src/protocols/two-phase-commit/index.js';
import { COLLECTIONS } from './document-cluster.js';
import type { SqlWork } from './simulated-database.js';
import { REAL, type Variant } from './variant.js';

type Sql = LastResource<SqlWork, string>;

/** `real` with some methods replaced. */
function changed<T extends object>(real: T, methods: Partial<T>): T {
  return new Proxy(real, {
    get(target, name) {
      const own = Reflect.get(methods, name) as unknown;
      const value = own ?? Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(own === undefined ? target : methods) as unknown) : value;
    },
  });
}

const sqlWith = (methods: (real: Sql) => Partial<Sql>): Variant => ({
  ...REAL,
  lastResource: (real) => changed(real, methods(real)),
});

const documentsWith = <Work>(methods: (real: Participant<Work>) => Partial<Participant<Work>>) => ({
  documents: (real: Participant<Work>) => changed(real, methods(real)),
});

/** Changes the calls of recovery and not those of the coordinator. */
const recoveryOf =
  (ask: (real: Sql, details: readonly DecisionDetails[]) => Promise<ReadonlyMap<TransactionId, Decision>>) =>
  (real: Sql): Partial<Sql> => ({
    abort: (details) => (details[0]?.by === 'recovery' ? ask(real, details) : real.abort(details)),
  });

const machineOf = (Machine: typeof DocumentMachine): Variant => ({
  ...REAL,
  newMachine: () => new Machine(COLLECTIONS, GENESIS),
});

const bumpsIn = (op: Extract<DocumentOp, { type: 'prepare' }>): number =>
  op.changes.filter(({ type }) => type === 'bump').length;

class CountingAtPrepare extends DocumentMachine {
  override apply(record: JournalRecord<DocumentOp>): ReturnType<DocumentMachine['apply']> {
    const { op } = record;
    const customers = this.collection('customers');
    if (op.type === 'prepare') customers.counter += bumpsIn(op);
    const result = super.apply(record);
    // Committed: the effect exists already. Aborted: the effect is undone.
    if (result && 'decision' in result && 'customers' in result.outcome.bumped) customers.counter -= 1;
    return result;
  }
}

class NotifyingThePrepare extends DocumentMachine {
  private readonly sizes = new Map<TransactionId, number>();

  override apply(record: JournalRecord<DocumentOp>): ReturnType<DocumentMachine['apply']> {
    const { op } = record;
    if (op.type === 'prepare') this.sizes.set(op.transaction, this.collection('customers').documents.size);
    const result = super.apply(record);
    if (!result || !('decision' in result) || !('customers' in result.outcome.bumped)) return result;
    const customers = this.sizes.get(result.transaction) ?? 0;
    return { ...result, outcome: { ...result.outcome, bumped: { customers } } };
  }
}

class WithoutReservations extends DocumentMachine {
  constructor(...args: ConstructorParameters<typeof DocumentMachine>) {
    super(...args);
    Object.assign(this.transactions, { holderOf: () => undefined });
  }
}

class ForgettingPromises extends DocumentMachine {
  override capture(): DocumentsSnapshot {
    const { meta, ...rest } = super.capture();
    return { ...rest, meta: { ...meta, prepared: [] } };
  }
}

export const PLANTED: Readonly<Record<string, Variant>> = {
  'commit before prepare is durable': {
    ...REAL,
    ...documentsWith((real) => ({
      prepare: (head, work) => {
        void real.prepare(head, work).catch(() => undefined);
        return Promise.resolve({ vote: 'yes' });
      },
    })),
  },
  'forget presumed abort': sqlWith(recoveryOf((real, details) => real.decisions(details.map(({ id }) => id)))),
  'presume commit': sqlWith(
    recoveryOf(async (real, details) => {
      const rows = new Map<TransactionId, Decision>();
      for (const one of details) rows.set(one.id, await real.decide(one, 'committed'));
      return rows;
    }),
  ),
  'recovery aborts by reading only': sqlWith(
    recoveryOf(async (real, details) => {
      const rows = await real.decisions(details.map(({ id }) => id));
      return new Map(details.map(({ id }) => [id, rows.get(id) ?? 'aborted']));
    }),
  ),
  'recovery presumes abort when it cannot write': sqlWith(
    recoveryOf((real, details) => real.abort(details).catch(() => new Map(details.map(({ id }) => [id, 'aborted'])))),
  ),
  'answered before it can be read': {
    ...REAL,
    ...documentsWith((real) => ({
      commit: (id) => {
        void real.commit(id).catch(() => undefined);
        return Promise.resolve({});
      },
    })),
  },
  'bump counted at prepare': machineOf(CountingAtPrepare),
  'customers counted at prepare': machineOf(NotifyingThePrepare),
  'participants notified before the row is durable': sqlWith((real) => ({
    commit: (details, work) => {
      void real.commit(details, work).catch(() => undefined);
      return Promise.resolve({ decision: 'committed', result: work.key });
    },
  })),
  'reservation not kept': machineOf(WithoutReservations),
  'snapshot forgets who is prepared': machineOf(ForgettingPromises),
  'decision refused by a full disk': { ...REAL, usesReserve: false },
  'late prepare after its abort accepted': { ...REAL, ledgerKeepsTombstones: false },
  'row pruned too early': { ...REAL, keepsRows: false },
  'starts without comparing the stores': {
    ...REAL,
    ...documentsWith(() => ({ carriedOut: () => Promise.resolve([]) })),
  },
  'incarnations of the database not kept': sqlWith(() => ({ incarnation: 1, knowsIncarnation: () => true })),
};
