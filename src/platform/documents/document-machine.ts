import type { OperationStamp } from '../../kernel/index.js';
import type { JournalRecord, Position } from '../journal/index.js';
import type { StoredDocument } from './document-line.js';
import type {
  CollectionDeclaration,
  DocumentId,
  DocumentOp,
  DocumentOutcome,
  Fields,
  ShownDocument,
} from './document-op.js';
import { DocumentTable } from './document-table.js';
import { type IdKind, idKindOf } from './id-kind.js';
import { OperationMemory, type RememberedOperation } from './operation-memory.js';
import type { TableSnapshot } from './table-snapshot.js';

export interface CollectionState {
  readonly declaration: CollectionDeclaration;
  readonly ids: IdKind;
  readonly documents: DocumentTable;
  counter: number;
  /** Above every number that an id has ever taken. */
  nextId: number;
}

/** The whole state at one position of the history. */
export interface DocumentsSnapshot {
  /** In the order in which they were declared. */
  readonly collections: ReadonlyMap<string, TableSnapshot>;
  readonly meta: SnapshotMeta;
}

export interface SnapshotMeta extends Position {
  readonly clusterId: string;
  readonly counters: Readonly<Record<string, number>>;
  readonly nextIds: Readonly<Record<string, number>>;
  readonly operations: readonly RememberedOperation[];
}

/**
 * A deterministic state machine over the journal's records (Schneider 1990): the same records in the same order give
 * the same state everywhere. Time comes only from the records.
 */
export class DocumentMachine {
  readonly operations = new OperationMemory();
  private readonly collections = new Map<string, CollectionState>();
  private position: Position;
  private cluster = '';

  constructor(declarations: readonly CollectionDeclaration[], genesis: Position) {
    this.position = genesis;
    for (const declaration of declarations) {
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

  get appliedPosition(): Position {
    return this.position;
  }

  collection(name: string): CollectionState {
    const found = this.collections.get(name);
    if (!found) throw new Error(`no collection named ${name}`);
    return found;
  }

  apply(record: JournalRecord<DocumentOp>): DocumentOutcome | undefined {
    if (record.seq !== this.position.seq + 1) {
      throw new Error(`record ${String(record.seq)} applied after ${String(this.position.seq)}`);
    }
    this.position = { epoch: record.epoch, seq: record.seq, hash: record.hash };
    const { op } = record;
    switch (op.type) {
      case 'epoch-started':
        this.cluster = op.clusterId;
        return undefined;
      case 'bump':
        this.collection(op.collection).counter += 1;
        return undefined;
      case 'put':
        return this.remember(op.operation, record, this.put(op.collection, op.id, op.fields));
      case 'delete':
        return this.remember(op.operation, record, this.delete(op.collection, op.id));
    }
  }

  /** Later records do not change it. Takes as long as there were writes since the last rebase. */
  capture(): DocumentsSnapshot {
    const states = [...this.collections.values()];
    return {
      collections: new Map(
        states.map(({ declaration, documents, counter }) => [declaration.name, documents.capture(counter)]),
      ),
      meta: {
        clusterId: this.cluster,
        ...this.position,
        counters: Object.fromEntries(states.map((state) => [state.declaration.name, state.counter])),
        nextIds: Object.fromEntries(states.map((state) => [state.declaration.name, state.nextId])),
        operations: this.operations.all(),
      },
    };
  }

  /** Only on a machine that has applied nothing. */
  restore(snapshot: DocumentsSnapshot): void {
    const { meta } = snapshot;
    this.cluster = meta.clusterId;
    this.position = { epoch: meta.epoch, seq: meta.seq, hash: meta.hash };
    for (const [name, documents] of snapshot.collections) {
      const state = this.collection(name);
      state.counter = meta.counters[name] ?? 0;
      state.nextId = meta.nextIds[name] ?? 1;
      state.documents.restore(documents);
    }
    for (const operation of meta.operations) this.operations.record(operation);
  }

  /** Holds in packed form what is in `snapshot`, captured here after the last rebase. Changes nothing that is seen. */
  rebase(snapshot: DocumentsSnapshot): void {
    for (const [name, documents] of snapshot.collections) this.collection(name).documents.rebase(documents);
  }

  private put(name: string, id: DocumentId, fields: Fields): DocumentOutcome {
    const state = this.collection(name);
    const before = state.documents.get(id);
    const document = { fields, counterBase: before?.counterBase ?? 0 - state.counter };
    state.documents.set(id, document);
    state.nextId = Math.max(state.nextId, state.ids.numberOf(id) + 1);
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

  /** Members one by one: `...stamp` takes six times as long. */
  private remember(
    { id, scope, bodyHmac }: OperationStamp,
    { epoch, seq, at }: JournalRecord<DocumentOp>,
    outcome: DocumentOutcome,
  ): DocumentOutcome {
    this.operations.record({ id, scope, bodyHmac, at, commit: `${String(epoch)}.${String(seq)}`, outcome });
    return outcome;
  }
}

export function show(
  declaration: CollectionDeclaration,
  id: DocumentId,
  document: StoredDocument,
  counter: number,
): ShownDocument {
  const { counterField } = declaration;
  if (counterField === undefined) return { id, ...document.fields };
  return { id, ...document.fields, [counterField]: document.counterBase + counter };
}
