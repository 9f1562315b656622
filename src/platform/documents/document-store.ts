import { join } from 'node:path';
import { Low } from 'lowdb';
import { isAppError, type OperationStamp, type Random } from '../../kernel/index.js';
import { GENESIS, Journal, type JournalPorts, type Position } from '../journal/index.js';
import { DocumentMachine, type DocumentsSnapshot, show } from './document-machine.js';
import type { CollectionDeclaration, DocumentOp, DocumentOutcome, Fields, ShownDocument } from './document-op.js';
import type { RememberedOperation } from './operation-memory.js';
import { PendingWrites } from './pending-writes.js';
import { SnapshotCodec } from './snapshot-codec.js';
import { SnapshotFile } from './snapshot-file.js';

export interface DocumentStorePorts extends JournalPorts {
  readonly random: Random;
}

export interface DocumentStoreOptions {
  readonly directory: string;
  readonly collections: readonly CollectionDeclaration[];
  /** A snapshot is begun when this much was journaled since the last, or half the snapshot's size if that is more. */
  readonly snapshotEveryBytes: number;
  readonly journalReserveBytes: number;
}

export type WriteRefusal = 'not-found' | 'precondition-failed';

export type DocumentWrite =
  | { readonly done: true; readonly outcome: DocumentOutcome; readonly commit: Position }
  | { readonly done: false; readonly refusal: WriteRefusal };

export interface DocumentPage {
  readonly documents: readonly ShownDocument[];
  readonly hasMore: boolean;
  readonly total: number;
}

const SNAPSHOT_FILE = 'documents.json';
const CLUSTER_ID_BYTES = 16;
/** More makes writing cheaper, less makes the next start quicker. */
const SNAPSHOT_SHARE = 0.5;

/**
 * Collections of JSON documents in memory, made durable by a journal and shortened by snapshots. Reads see exactly what
 * is durable here. Every write resolves when it is durable and visible; it rejects with `storage-full` (nothing
 * written) or `outcome-unknown` (the process is stopping).
 */
export class DocumentStore {
  private snapshotRun: Promise<void> | undefined;
  private isClosing = false;
  private nextSnapshotBytes: number;

  private constructor(
    private readonly ports: DocumentStorePorts,
    private readonly options: DocumentStoreOptions,
    private readonly machine: DocumentMachine,
    private readonly file: SnapshotFile<DocumentsSnapshot>,
    private readonly low: Low<DocumentsSnapshot>,
    private readonly empty: DocumentsSnapshot,
    private readonly pending: ReadonlyMap<string, PendingWrites>,
    private readonly journal: Journal<DocumentOp, DocumentOutcome | undefined>,
  ) {
    this.nextSnapshotBytes = this.snapshotThreshold();
  }

  /** Recovers, then takes the next epoch, durable before anything else is written. */
  static async open(ports: DocumentStorePorts, options: DocumentStoreOptions): Promise<DocumentStore> {
    const { directory, collections } = options;
    await ports.disk.ensureDirectory(directory);
    const machine = new DocumentMachine(collections, GENESIS);
    const file = new SnapshotFile(ports, join(directory, SNAPSHOT_FILE), new SnapshotCodec(collections));
    const empty = machine.capture();
    const low = new Low<DocumentsSnapshot>(file, empty);
    await low.read();
    if (low.data !== empty) machine.restore(low.data);
    low.data = empty;

    const pending = new Map(collections.map(({ name }) => [name, new PendingWrites(machine.collection(name))]));
    const journal = await Journal.open<DocumentOp, DocumentOutcome | undefined>(
      ports,
      { directory, reserveBytes: options.journalReserveBytes },
      {
        apply: (record) => {
          const outcome = machine.apply(record);
          const { op } = record;
          if (op.type === 'put' || op.type === 'delete') pending.get(op.collection)?.applyOne(op.id);
          return outcome;
        },
        rollBack: () => {
          pending.forEach((writes) => {
            writes.rollBack();
          });
        },
      },
      machine.appliedPosition,
    );
    const store = new DocumentStore(ports, options, machine, file, low, empty, pending, journal);
    await store.startEpoch();
    return store;
  }

  get position(): Position {
    return this.journal.position;
  }

  find(collection: string, id: number): ShownDocument | undefined {
    const state = this.machine.collection(collection);
    const document = state.documents.get(id);
    return document && show(state.declaration, id, document, state.counter);
  }

  /** In id order, the ones behind `after`. */
  page(collection: string, after: number, limit: number): DocumentPage {
    const state = this.machine.collection(collection);
    const ids = state.documents.page(after, limit + 1);
    const documents = ids.slice(0, limit).flatMap((id) => this.find(collection, id) ?? []);
    return { documents, hasMore: ids.length > limit, total: state.documents.size };
  }

  /** The id that the next document would get; ids are never given twice, also not after a delete. */
  nextId(collection: string): number {
    return this.machine.collection(collection).nextId;
  }

  findOperation(by: { readonly id: string } | { readonly scope: string }): RememberedOperation | undefined {
    const { operations } = this.machine;
    return 'id' in by ? operations.findById(by.id) : operations.findByScope(by.scope);
  }

  async create(collection: string, fields: Fields, operation: OperationStamp): Promise<DocumentWrite> {
    const id = this.pendingOf(collection).allotId();
    return this.put(collection, id, fields, operation);
  }

  /** `precondition` judges the document as it will be when the writes before this one are done. */
  replace(
    collection: string,
    id: number,
    fields: Fields,
    operation: OperationStamp,
    precondition?: (current: ShownDocument) => boolean,
  ): Promise<DocumentWrite> {
    return this.whenMet(collection, id, precondition, () => this.put(collection, id, fields, operation));
  }

  delete(
    collection: string,
    id: number,
    operation: OperationStamp,
    precondition?: (current: ShownDocument) => boolean,
  ): Promise<DocumentWrite> {
    return this.whenMet(collection, id, precondition, () =>
      this.submit({ type: 'delete', collection, id, operation }, undefined),
    );
  }

  /** Writes out what is queued, takes a last snapshot for a quick next start, closes. No write may follow. */
  async close(): Promise<void> {
    this.isClosing = true;
    await this.snapshotRun;
    const isWorthwhile = this.journal.segmentBytes > this.nextSnapshotBytes / 16;
    if (isWorthwhile) await this.snapshot();
    await this.journal.close();
  }

  private put(collection: string, id: number, fields: Fields, operation: OperationStamp): Promise<DocumentWrite> {
    const state = this.machine.collection(collection);
    const counterBase = this.pendingOf(collection).find(id)?.counterBase ?? 0 - state.counter;
    return this.submit({ type: 'put', collection, id, fields, operation }, { fields, counterBase });
  }

  private async submit(
    op: Extract<DocumentOp, { type: 'put' | 'delete' }>,
    document: { fields: Fields; counterBase: number } | undefined,
  ): Promise<DocumentWrite> {
    const appended = this.journal.append(op);
    this.pendingOf(op.collection).queue(op.id, document, appended);
    const { record, result } = await appended;
    if (result === undefined) throw new Error('a document write has an outcome');
    if (!this.isClosing && this.journal.segmentBytes > this.nextSnapshotBytes) void this.snapshot();
    return { done: true, outcome: result, commit: { epoch: record.epoch, seq: record.seq, hash: record.hash } };
  }

  /**
   * Judges and queues in one step, so that nothing comes between. A refusal that rests on a write which is not durable
   * yet is not given before that write is: should it find no room, the question is asked again.
   */
  private async whenMet(
    collection: string,
    id: number,
    precondition: ((current: ShownDocument) => boolean) | undefined,
    write: () => Promise<DocumentWrite>,
  ): Promise<DocumentWrite> {
    const state = this.machine.collection(collection);
    const pending = this.pendingOf(collection);
    for (;;) {
      const document = pending.find(id);
      const isMet = document && (precondition?.(show(state.declaration, id, document, state.counter)) ?? true);
      if (isMet) return write();
      const settled = pending.settled(id);
      if (settled === undefined) return { done: false, refusal: document ? 'precondition-failed' : 'not-found' };
      await settled.catch((error: unknown) => {
        if (!isAppError(error, 'storage-full')) throw error;
      });
    }
  }

  private pendingOf(collection: string): PendingWrites {
    const found = this.pending.get(collection);
    if (!found) throw new Error(`no collection named ${collection}`);
    return found;
  }

  private async startEpoch(): Promise<void> {
    const newId = (): string => Buffer.from(this.ports.random.bytes(CLUSTER_ID_BYTES)).toString('hex');
    this.journal.beginEpoch(this.machine.appliedPosition.epoch + 1);
    const clusterId = this.machine.clusterId || newId();
    await this.journal.append({ type: 'epoch-started', clusterId, primaryId: newId() }, true);
  }

  private snapshotThreshold(): number {
    return Math.max(this.options.snapshotEveryBytes, this.file.size * SNAPSHOT_SHARE);
  }

  /** One at a time: two would write the same temporary file. */
  private snapshot(): Promise<void> {
    this.snapshotRun ??= this.takeSnapshot();
    return this.snapshotRun;
  }

  /** Never rejects: without a snapshot the journal only stays longer. */
  private async takeSnapshot(): Promise<void> {
    try {
      await this.journal.rotate();
      const captured = this.machine.capture();
      this.low.data = captured;
      await this.low.write();
      this.machine.rebase(captured);
      await this.journal.removeThrough(captured.meta.seq);
      this.nextSnapshotBytes = this.snapshotThreshold();
    } catch (error) {
      if (isAppError(error, 'outcome-unknown')) return;
      this.ports.log.warn('no snapshot was taken; the journal goes on', { error: String(error) });
      this.nextSnapshotBytes = this.journal.segmentBytes + this.snapshotThreshold();
    } finally {
      this.low.data = this.empty;
      this.snapshotRun = undefined;
    }
  }
}
