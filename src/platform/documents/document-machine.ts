import { AppError, type OperationStamp, logPositionText, type ChainPosition } from '../../kernel/index.js';
import type { JournalRecord } from '../journal/index.js';
import type { StoredDocument } from './document-line.js';
import {
  assertPlainNames,
  type CollectionDeclaration,
  type DocumentId,
  type DocumentOp,
  type DocumentOutcome,
  type Fields,
  type OperationRetention,
  type PreparedChange,
  type DocumentView,
} from './document-op.js';
import { DocumentTable } from './document-table.js';
import { type IdKind, idKindOf } from './id-kind.js';
import { type CapturedOperations, OperationMemory } from './operation-memory.js';
import type { TableSnapshot } from './table-snapshot.js';
import { type CarriedOutTransaction, type PreparedTransaction, TransactionMemory } from './transaction-memory.js';

export interface CollectionState {
  readonly declaration: CollectionDeclaration;
  readonly ids: IdKind;
  readonly documents: DocumentTable;
  counter: number;
  /** Higher than every number that an id has ever used. */
  nextId: number;
}

/** The whole state at one log position. */
export interface DocumentsSnapshot {
  /** In order of declaration. */
  readonly collections: ReadonlyMap<string, TableSnapshot>;
  readonly operations: CapturedOperations;
  readonly meta: SnapshotMeta;
}

export interface SnapshotMeta extends ChainPosition {
  readonly clusterId: string;
  readonly counters: Readonly<Record<string, number>>;
  readonly nextIds: Readonly<Record<string, number>>;
  /** Absent: 1. */
  readonly retention?: OperationRetention;
  /** Older snapshots lack `prepared` and `decisions`, which means none. */
  readonly prepared?: readonly PreparedTransaction[];
  readonly decisions?: readonly CarriedOutTransaction[];
}

/** The result of a record that its writer needs; otherwise undefined. */
export type Applied = DocumentOutcome | CarriedOutTransaction | undefined;

/** A deterministic state machine over the journal's records (Schneider 1990). Time comes only from the records. */
export class DocumentMachine {
  readonly operations = new OperationMemory();
  readonly transactions = new TransactionMemory();
  private readonly collections = new Map<string, CollectionState>();
  private position: ChainPosition;
  private cluster = '';

  constructor(declarations: readonly CollectionDeclaration[], genesis: ChainPosition) {
    this.position = genesis;
    for (const declaration of declarations) {
      assertPlainNames({ [declaration.name]: null, [declaration.counterField ?? '']: null });
      this.collections.set(declaration.name, {
        declaration,
        ids: idKindOf(declaration),
        documents: new DocumentTable(declaration),
        counter: 0,
        nextId: 1,
      });
    }
  }

  /** Empty until the first epoch of this history has started. */
  get clusterId(): string {
    return this.cluster;
  }

  get appliedPosition(): ChainPosition {
    return this.position;
  }

  collection(name: string): CollectionState {
    const found = this.collections.get(name);
    if (!found) throw new Error(`there is no collection ${name}`);
    return found;
  }

  apply(record: JournalRecord<DocumentOp>): Applied {
    if (record.seq !== this.position.seq + 1) {
      throw new Error(`record ${String(record.seq)} cannot follow record ${String(this.position.seq)}`);
    }
    this.position = { epoch: record.epoch, seq: record.seq, hash: record.hash };
    const { op } = record;
    switch (op.type) {
      case 'epoch-started':
        this.cluster = op.clusterId;
        this.operations.retention = op.retention ?? this.operations.retention;
        return undefined;
      case 'put':
        return this.remember(op.operation, record, this.put(op.collection, op.id, op.fields));
      case 'delete':
        return this.remember(op.operation, record, this.delete(op.collection, op.id));
      case 'prepare':
        this.prepare(op, record);
        return undefined;
      case 'commit':
        return this.decide(op.transaction, 'committed', record);
      case 'abort':
        return this.decide(op.transaction, 'aborted', record);
      default:
        throw ofANewerVersion(op, record);
    }
  }

  /** Later records do not change the snapshot. The cost grows with the writes since the last rebase. */
  capture(): DocumentsSnapshot {
    const states = [...this.collections.values()];
    return {
      collections: new Map(
        states.map(({ declaration, documents, counter }) => [declaration.name, documents.capture(counter)]),
      ),
      operations: this.operations.capture(),
      meta: {
        clusterId: this.cluster,
        ...this.position,
        counters: Object.fromEntries(states.map((state) => [state.declaration.name, state.counter])),
        nextIds: Object.fromEntries(states.map((state) => [state.declaration.name, state.nextId])),
        ...(this.operations.retention > 1 && { retention: this.operations.retention }),
        prepared: this.transactions.allPrepared(),
        decisions: this.transactions.allDecided(),
      },
    };
  }

  /** The machine must not have applied anything. */
  restore(snapshot: DocumentsSnapshot): void {
    Array.from(this.restoring(snapshot));
  }

  /** Same as `restore`, in short steps. */
  *restoring(snapshot: DocumentsSnapshot): Generator<void, void, undefined> {
    const { meta } = snapshot;
    this.cluster = meta.clusterId;
    this.position = { epoch: meta.epoch, seq: meta.seq, hash: meta.hash };
    for (const [name, documents] of snapshot.collections) {
      const state = this.collection(name);
      state.counter = meta.counters[name] ?? 0;
      state.nextId = meta.nextIds[name] ?? 1;
      state.documents.restore(documents);
    }
    this.operations.retention = meta.retention ?? 1;
    yield* this.operations.restoring(snapshot.operations);
    for (const decided of meta.decisions ?? []) this.transactions.remember(decided);
    for (const prepared of meta.prepared ?? []) this.transactions.prepare(prepared);
  }

  /** Packs the documents of `snapshot`, which was captured here after the last rebase. The visible state does not change. */
  rebase(snapshot: DocumentsSnapshot): void {
    for (const [name, documents] of snapshot.collections) this.collection(name).documents.rebase(documents);
  }

  private put(name: string, id: DocumentId, fields: Fields): DocumentOutcome {
    const state = this.collection(name);
    const before = state.documents.get(id);
    const document = { fields, counterBase: before?.counterBase ?? 0 - state.counter };
    state.documents.set(id, document);
    useId(state, id);
    return {
      change: before === undefined ? 'created' : 'replaced',
      collection: name,
      document: show(state.declaration, id, document, state.counter),
    };
  }

  private delete(name: string, id: DocumentId): DocumentOutcome {
    this.collection(name).documents.delete(id);
    return { change: 'deleted', collection: name };
  }

  /** A reserved id is never assigned again, even if the transaction aborts. */
  private prepare(
    { transaction, kind, decidedBy, life, changes }: Extract<DocumentOp, { type: 'prepare' }>,
    { epoch, seq, at }: JournalRecord<DocumentOp>,
  ): void {
    this.transactions.prepare({ transaction, kind, decidedBy, life, changes, at, epoch, seq });
    for (const change of changes) {
      if (change.type === 'create') useId(this.collection(change.collection), change.id);
    }
  }

  /** Returns undefined and does nothing when the transaction is not prepared: it never was, or it is already decided. */
  private decide(
    transaction: string,
    decision: CarriedOutTransaction['decision'],
    record: JournalRecord<DocumentOp>,
  ): CarriedOutTransaction | undefined {
    const prepared = this.transactions.take(transaction);
    if (prepared === undefined) return undefined;
    const bumped = decision === 'committed' ? this.carryOut(prepared.changes) : {};
    const { kind, decidedBy, life } = prepared;
    const { at } = record;
    const decided = {
      transaction,
      kind,
      decidedBy,
      life,
      decision,
      at,
      place: logPositionText(record),
      outcome: { bumped },
    };
    this.transactions.remember(decided);
    return decided;
  }

  /** Returns the number of documents in each bumped collection. */
  private carryOut(changes: readonly PreparedChange[]): Record<string, number> {
    const bumped: Record<string, number> = {};
    for (const change of changes) {
      if (change.type === 'create') {
        this.put(change.collection, change.id, change.fields);
      } else {
        const state = this.collection(change.collection);
        state.counter += 1;
        bumped[change.collection] = state.documents.size;
      }
    }
    return bumped;
  }

  /** Copies the members individually because `...stamp` takes six times as long. */
  private remember(
    { id, scope, bodyHmac, owner }: OperationStamp,
    record: JournalRecord<DocumentOp>,
    outcome: DocumentOutcome,
  ): DocumentOutcome {
    this.operations.record({ id, scope, bodyHmac, owner, at: record.at, commit: logPositionText(record), outcome });
    return outcome;
  }
}

/** Skipping an unknown operation would give another state at the same log position. */
function ofANewerVersion(op: never, { seq }: ChainPosition): AppError {
  const { type } = op as { readonly type?: unknown };
  const message = `record ${String(seq)} is of a kind that this version does not know: ${String(type)}`;
  return new AppError('data-corrupt', message, { retry: 'never' });
}

function useId(state: CollectionState, id: DocumentId): void {
  state.nextId = Math.max(state.nextId, state.ids.numberOf(id) + 1);
}

export function show(
  declaration: CollectionDeclaration,
  id: DocumentId,
  document: StoredDocument,
  counter: number,
): DocumentView {
  const { counterField } = declaration;
  if (counterField === undefined) return { id, ...document.fields };
  return { id, ...document.fields, [counterField]: document.counterBase + counter };
}
