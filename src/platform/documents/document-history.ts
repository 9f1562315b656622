import { Low } from 'lowdb';
import {
  isAppError,
  type EncodedRecord,
  GENESIS,
  type ChainPosition,
  type CapturedState,
  type CopyableHistory,
  type OpenSnapshot,
} from '../../kernel/index.js';
import {
  type Appended,
  Journal,
  type JournalPorts,
  type JournalRecord,
  type MissingEnd,
  NotAsReadAhead,
  type ReadAhead,
  type WhenEndIsMissing,
} from '../journal/index.js';
import { type Applied, DocumentMachine, type DocumentsSnapshot, type SnapshotMeta } from './document-machine.js';
import type { CollectionDeclaration, DocumentOp } from './document-op.js';
import type { EarlierTransactions } from './earlier-transactions.js';
import { firstNeeded, firstTold, type HistoryStart } from './history-start.js';
import { SnapshotCodec } from './snapshot-codec.js';
import { DOCUMENT_SNAPSHOTS, SnapshotFiles } from './snapshot-files.js';
import { inTurns } from './in-turns.js';
import { openSnapshotStream } from './snapshot-stream.js';
import { stateHash } from './state-hash.js';
import type { DocumentsAhead } from './warm-documents.js';

/** A larger share makes writing cheaper, a smaller one makes the next start faster. */
const SNAPSHOT_SHARE = 0.25;
/** Above this size the process stops without a snapshot, and the next start reads the journal instead. */
const MAX_BYTES_AT_CLOSE = 32 * 1024 * 1024;

export interface DocumentHistoryOptions {
  readonly directory: string;
  readonly collections: readonly CollectionDeclaration[];
  /** The journal bytes since the last snapshot that trigger the next, or a quarter of the snapshot's size if that is more. */
  readonly snapshotEveryBytes: number;
  readonly journalReserveBytes: number;
  /** `refuse` when absent. */
  readonly whenEndIsMissing?: WhenEndIsMissing;
}

/** All callbacks are synchronous. */
export interface HistoryEvents {
  /** Called once for each applied record, also during recovery. */
  applied?(record: JournalRecord<DocumentOp>, result: Applied): void;
  /** Same as `JournalSink.rollBack`. */
  rolledBack?(): void;
  /** Same as `JournalSink.durable`. */
  durable?(records: readonly EncodedRecord[]): void;
}

/** `earlier` are those of the machine as it is; absent where nothing was read ahead. */
export type EventsOf = (machine: DocumentMachine, earlier?: EarlierTransactions) => HistoryEvents;

interface WrittenSnapshot {
  readonly position: ChainPosition;
  readonly firstToldSeq: number;
}

interface HistoryParts {
  readonly ports: JournalPorts;
  readonly options: DocumentHistoryOptions;
  readonly files: SnapshotFiles<DocumentsSnapshot>;
  readonly empty: DocumentsSnapshot;
}

interface HistoryOpening extends Pick<HistoryStart, 'covered' | 'keptFrom'> {
  readonly machine: DocumentMachine;
  readonly written: WrittenSnapshot | undefined;
}

export type OwnHistory = CopyableHistory &
  Pick<
    DocumentHistory,
    'machine' | 'firstToldSeq' | 'missing' | 'settleEnd' | 'beginEpoch' | 'append' | 'follow' | 'close'
  >;

/** A journal, the state that its records produce, and snapshots of that state, for primaries and replicas alike. */
export class DocumentHistory implements CopyableHistory {
  /** The last task that needs exclusive access: writing the snapshot, or opening it for a reader. */
  private lastTask: Promise<unknown> = Promise.resolve();
  private snapshotRun: Promise<void> | undefined;
  private isClosing = false;
  private nextSnapshotBytes: number;

  private constructor(
    private readonly ports: JournalPorts,
    private readonly options: DocumentHistoryOptions,
    readonly machine: DocumentMachine,
    private readonly files: SnapshotFiles<DocumentsSnapshot>,
    private readonly low: Low<DocumentsSnapshot>,
    private readonly empty: DocumentsSnapshot,
    private readonly journal: Journal<DocumentOp, Applied>,
    private written: WrittenSnapshot | undefined,
  ) {
    this.nextSnapshotBytes = this.snapshotThreshold();
  }

  /**
   * Creates missing directories and recovers; appends nothing. Throws like `Journal.open`, naming file and offset. What `ahead` has
   * read is not read again; where it does not fit, all is, and `eventsOf` is called once more.
   */
  static async open(
    ports: JournalPorts,
    options: DocumentHistoryOptions,
    eventsOf: EventsOf,
    ahead?: DocumentsAhead,
  ): Promise<DocumentHistory> {
    const { directory, collections } = options;
    await ports.disk.ensureDirectory(directory);
    const files = new SnapshotFiles(ports, {
      ...{ directory, name: DOCUMENT_SNAPSHOTS, codec: new SnapshotCodec(collections) },
      seqOf: ({ meta }: DocumentsSnapshot) => meta.seq,
    });
    const parts = { ports, options, files, empty: new DocumentMachine(collections, GENESIS).capture() };
    if (ahead !== undefined) {
      try {
        return await DocumentHistory.continued(parts, eventsOf, ahead);
      } catch (error) {
        if (!isUnfit(error)) throw error;
        ports.log.warn('the documents that were read ahead do not fit the files, which are read again', {
          reason: error.message,
        });
      }
    }
    return DocumentHistory.read(parts, eventsOf);
  }

  private static async read(parts: HistoryParts, eventsOf: EventsOf): Promise<DocumentHistory> {
    const { ports, options, files, empty } = parts;
    const machine = new DocumentMachine(options.collections, GENESIS);
    const low = new Low<DocumentsSnapshot>(files, empty);
    await low.read();
    const covered = low.data === empty ? undefined : low.data.meta;
    if (covered) await inTurns(machine.restoring(low.data), ports.nextTurn);
    const { appliedPosition, transactions } = machine;
    const keptFrom = firstNeeded(appliedPosition, transactions.allPrepared());
    const opening = { machine, covered: appliedPosition, keptFrom, written: covered && writtenAs(covered) };
    return DocumentHistory.opened(parts, eventsOf(machine), opening);
  }

  /** Throws `NotAsReadAhead` when the newest snapshot or the journal is not as it was read. */
  private static async continued(
    parts: HistoryParts,
    eventsOf: EventsOf,
    { machine, journal, starts }: DocumentsAhead,
  ): Promise<DocumentHistory> {
    const newest = await parts.files.passOver();
    const start = starts.find(({ snapshotSeq }) => snapshotSeq === newest?.seq);
    if (start === undefined) throw new NotAsReadAhead(`no start from snapshot ${String(newest?.seq)} is known`);
    const { covered, keptFrom, earlier } = start;
    const written = newest && { position: covered, firstToldSeq: start.firstToldSeq };
    return DocumentHistory.opened(parts, eventsOf(machine, earlier), { machine, covered, keptFrom, written }, journal);
  }

  private static async opened(
    { ports, options, files, empty }: HistoryParts,
    events: HistoryEvents,
    { machine, covered, keptFrom, written }: HistoryOpening,
    ahead?: ReadAhead,
  ): Promise<DocumentHistory> {
    const { directory, journalReserveBytes: reserveBytes, whenEndIsMissing } = options;
    const journal = await Journal.open<DocumentOp, Applied>(
      ports,
      { directory, reserveBytes, whenEndIsMissing },
      {
        apply: (record) => {
          const result = machine.apply(record);
          events.applied?.(record, result);
          return result;
        },
        rollBack: () => events.rolledBack?.(),
        durable: (records) => events.durable?.(records),
      },
      covered,
      keptFrom,
      ahead,
    );
    files.incarnation = journal.incarnation;
    await files.removeOthers();
    const low = new Low<DocumentsSnapshot>(files, empty);
    return new DocumentHistory(ports, options, machine, files, low, empty, journal, written);
  }

  get position(): ChainPosition {
    return this.journal.position;
  }

  get clusterId(): string | undefined {
    return this.machine.clusterId || undefined;
  }

  get missing(): MissingEnd | undefined {
    return this.journal.missing;
  }

  settleEnd(): Promise<void> {
    return this.journal.settleEnd();
  }

  get firstSeq(): number {
    return this.journal.firstSeq;
  }

  readFrom(seq: number, limitBytes: number): Promise<readonly EncodedRecord[] | 'gone'> {
    return this.journal.readFrom(seq, limitBytes);
  }

  positionAt(seq: number): Promise<ChainPosition | 'gone' | undefined> {
    return this.journal.positionAt(seq);
  }

  /** The oldest record whose decision on a transaction is still known after a restart from the files as they are. */
  get firstToldSeq(): number {
    return this.written?.firstToldSeq ?? 1;
  }

  captureState(): CapturedState {
    const captured = this.machine.capture();
    const { epoch, seq, hash } = captured.meta;
    return { position: { epoch, seq, hash }, stateHash: () => stateHash(captured, this.ports.nextTurn) };
  }

  openSnapshot(): Promise<OpenSnapshot | undefined> {
    return this.alone(async () => {
      const position = this.written?.position;
      const { path } = this.files;
      if (position === undefined || path === undefined || this.isClosing) return undefined;
      const release = this.journal.retainFrom(position.seq + 1);
      return openSnapshotStream(this.ports.disk, path, position, release);
    });
  }

  /** The path for a snapshot from elsewhere, up to record `seq`, that the next opening finds. */
  pathOfSnapshot(seq: number): string {
    return this.files.pathFor(seq);
  }

  beginEpoch(epoch: number): void {
    this.journal.beginEpoch(epoch);
  }

  async append(op: DocumentOp, reserved = false): Promise<Appended<DocumentOp, Applied>> {
    const appended = await this.journal.append(op, reserved);
    this.snapshotWhenDue();
    return appended;
  }

  async follow(records: readonly EncodedRecord[]): Promise<void> {
    await this.journal.follow(records);
    this.snapshotWhenDue();
  }

  /** Writes the queued records, takes a last snapshot if wanted and worthwhile, and closes. */
  async close(wantsSnapshot = true): Promise<void> {
    this.isClosing = true;
    await this.lastTask;
    const isWorthwhile = wantsSnapshot && this.journal.bytesSinceRotation > this.nextSnapshotBytes / 16;
    const isQuick = this.files.size < MAX_BYTES_AT_CLOSE;
    if (isWorthwhile && isQuick) await this.snapshot();
    await this.journal.close();
  }

  private snapshotWhenDue(): void {
    if (!this.isClosing && this.journal.bytesSinceRotation > this.nextSnapshotBytes) void this.snapshot();
  }

  private snapshotThreshold(): number {
    return Math.max(this.options.snapshotEveryBytes, this.files.size * SNAPSHOT_SHARE);
  }

  private snapshot(): Promise<void> {
    this.snapshotRun ??= this.alone(() => this.takeSnapshot());
    return this.snapshotRun;
  }

  private alone<T>(task: () => Promise<T>): Promise<T> {
    const run = this.lastTask.then(task);
    this.lastTask = run.catch(() => undefined);
    return run;
  }

  /** Never rejects: without a snapshot the journal only stays longer. */
  private async takeSnapshot(): Promise<void> {
    try {
      await this.journal.rotate();
      const captured = this.machine.capture();
      this.low.data = captured;
      await this.low.write();
      this.written = writtenAs(captured.meta);
      await this.journal.assertCurrent();
      await this.files.removeOthers();
      this.machine.rebase(captured);
      await this.journal.removeThrough(firstNeeded(captured.meta, captured.meta.prepared) - 1);
      this.nextSnapshotBytes = this.snapshotThreshold();
    } catch (error) {
      if (isAppError(error, 'superseded')) this.ports.process.stop('another process has taken over', error);
      if (isAppError(error, 'outcome-unknown') || isAppError(error, 'superseded')) return;
      this.ports.log.warn('no snapshot was taken; the journal continues', { error: String(error) });
      this.nextSnapshotBytes = this.journal.bytesSinceRotation + this.snapshotThreshold();
    } finally {
      this.low.data = this.empty;
      this.snapshotRun = undefined;
    }
  }
}

function writtenAs({ epoch, seq, hash, decisions }: SnapshotMeta): WrittenSnapshot {
  const position = { epoch, seq, hash };
  return { position, firstToldSeq: firstTold(position, decisions) };
}

/** Whether an opening has failed over what was read ahead, or a reading of the files will tell what is wrong with them. */
function isUnfit(error: unknown): error is Error {
  return error instanceof NotAsReadAhead || isAppError(error, 'data-corrupt') || isAppError(error, 'recovery-needed');
}
