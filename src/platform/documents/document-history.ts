import { Low } from 'lowdb';
import {
  isAppError,
  parseLogPosition,
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
  type WhenEndIsMissing,
} from '../journal/index.js';
import { type Applied, DocumentMachine, type DocumentsSnapshot, type SnapshotMeta } from './document-machine.js';
import type { CollectionDeclaration, DocumentOp } from './document-op.js';
import type { PreparedTransaction } from './transaction-memory.js';
import { SnapshotCodec } from './snapshot-codec.js';
import { SnapshotFiles } from './snapshot-files.js';
import { inTurns } from './in-turns.js';
import { openSnapshotStream } from './snapshot-stream.js';
import { stateHash } from './state-hash.js';

const SNAPSHOTS = 'documents';
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

interface WrittenSnapshot {
  readonly position: ChainPosition;
  readonly firstToldSeq: number;
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

  /** Creates missing directories and recovers; appends nothing. Throws like `Journal.open`, naming file and offset. */
  static async open(
    ports: JournalPorts,
    options: DocumentHistoryOptions,
    eventsOf: (machine: DocumentMachine) => HistoryEvents,
  ): Promise<DocumentHistory> {
    const { directory, collections } = options;
    await ports.disk.ensureDirectory(directory);
    const machine = new DocumentMachine(collections, GENESIS);
    const files = new SnapshotFiles(ports, {
      ...{ directory, name: SNAPSHOTS, codec: new SnapshotCodec(collections) },
      seqOf: ({ meta }: DocumentsSnapshot) => meta.seq,
    });
    const empty = machine.capture();
    const low = new Low<DocumentsSnapshot>(files, empty);
    await low.read();
    const covered = low.data === empty ? undefined : low.data.meta;
    if (covered) await inTurns(machine.restoring(low.data), ports.nextTurn);
    low.data = empty;

    const events = eventsOf(machine);
    const journal = await Journal.open<DocumentOp, Applied>(
      ports,
      { directory, reserveBytes: options.journalReserveBytes, whenEndIsMissing: options.whenEndIsMissing },
      {
        apply: (record) => {
          const result = machine.apply(record);
          events.applied?.(record, result);
          return result;
        },
        rollBack: () => events.rolledBack?.(),
        durable: (records) => events.durable?.(records),
      },
      machine.appliedPosition,
      firstNeeded(machine.appliedPosition, machine.transactions.allPrepared()),
    );
    files.incarnation = journal.incarnation;
    await files.removeOthers();
    return new DocumentHistory(ports, options, machine, files, low, empty, journal, covered && writtenAs(covered));
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

function writtenAs({ epoch, seq, hash, decisions = [] }: SnapshotMeta): WrittenSnapshot {
  const [oldest] = decisions;
  return {
    position: { epoch, seq, hash },
    firstToldSeq: oldest === undefined ? seq + 1 : parseLogPosition(oldest.place).seq,
  };
}

/** The first record to keep beside a snapshot at `position`. In-doubt transactions keep all of their journal records. */
function firstNeeded({ seq }: ChainPosition, prepared: readonly PreparedTransaction[] = []): number {
  return Math.min(seq + 1, prepared[0]?.seq ?? Infinity);
}
