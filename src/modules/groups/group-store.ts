import { Low } from 'lowdb';
import { compareLamport, type HeldKeys, isAppError, type LamportTime, maxRaise, GENESIS } from '../../kernel/index.js';
import { SnapshotFiles } from '../../platform/documents/index.js';
import { Journal, type JournalPorts, type MissingEnd, type WhenEndIsMissing } from '../../platform/journal/index.js';
import { GroupHistory, type GroupOp, type GroupOutcome, type GroupRecord } from './core/group-history.js';
import type { OperationKind } from './core/known-operation.js';
import { GROUP_SNAPSHOT_CODEC, type GroupSnapshot } from './group-snapshot.js';

export interface GroupStoreOptions {
  /** Exclusive to this store. */
  readonly directory: string;
  /** A snapshot begins when this much was journaled since the last one. */
  readonly snapshotEveryBytes: number;
  readonly journalReserveBytes: number;
  /** As in `JournalOptions`: `refuse` when absent. */
  readonly whenEndIsMissing?: WhenEndIsMissing;
}

const SNAPSHOTS = 'groups';
const EPOCH = 1;
const NOTHING: GroupSnapshot = { position: GENESIS, counter: 0, operations: [] };

/** The groups of one node, in memory, made durable by a journal of their own and shortened by snapshots. */
export class GroupStore {
  private snapshotRun: Promise<void> = Promise.resolve();
  private isTakingSnapshot = false;
  private isClosing = false;
  private nextSnapshotBytes: number;

  private constructor(
    private readonly ports: JournalPorts,
    private readonly options: GroupStoreOptions,
    private readonly files: SnapshotFiles<GroupSnapshot>,
    private readonly low: Low<GroupSnapshot>,
    private readonly history: GroupHistory,
    private readonly journal: Journal<GroupRecord, GroupOutcome | undefined>,
  ) {
    this.nextSnapshotBytes = options.snapshotEveryBytes;
  }

  /** Creates what is missing and recovers. Throws as `Journal.open` does, naming file and offset. */
  static async open(ports: JournalPorts, options: GroupStoreOptions): Promise<GroupStore> {
    const { directory, journalReserveBytes, whenEndIsMissing } = options;
    await ports.disk.ensureDirectory(directory);
    const files = new SnapshotFiles(ports, {
      ...{ directory, name: SNAPSHOTS, codec: GROUP_SNAPSHOT_CODEC },
      seqOf: ({ position }: GroupSnapshot) => position.seq,
    });
    const low = new Low<GroupSnapshot>(files, NOTHING);
    await low.read();
    const history = new GroupHistory();
    history.restore(low.data);
    const journal = await Journal.open<GroupRecord, GroupOutcome | undefined>(
      ports,
      { directory, reserveBytes: journalReserveBytes, whenEndIsMissing },
      {
        apply: ({ op, at }) => (op.type === 'raise' ? void history.raise(op.version) : history.apply(op, at)),
        rollBack: () => undefined,
      },
      low.data.position,
    );
    low.data = NOTHING;
    files.incarnation = journal.incarnation;
    await files.removeOthers();
    if (journal.position.epoch < EPOCH) journal.beginEpoch(EPOCH);
    return new GroupStore(ports, options, files, low, history, journal);
  }

  get missing(): MissingEnd | undefined {
    return this.journal.missing;
  }

  settleEnd(): Promise<void> {
    return this.journal.settleEnd();
  }

  /** Sorted. */
  all(): readonly string[] {
    return this.history.all();
  }

  has(groupId: string): boolean {
    return this.history.has(groupId);
  }

  kindOf(id: string): OperationKind | undefined {
    return this.history.kindOf(id);
  }

  heldKeys(of: 'operations' | 'early undos'): Iterable<HeldKeys> {
    return this.history.heldKeys(of);
  }

  get version(): LamportTime {
    return this.history.version;
  }

  /**
   * The outcome is durable and visible when it resolves. Rejects with `storage-full` (nothing was written) or `outcome-unknown`
   * (the process is stopping).
   */
  async apply(op: GroupOp): Promise<GroupOutcome> {
    const foreseen = this.history.foresee(op) ?? this.history.refuse(op);
    if (foreseen !== undefined) return foreseen;
    // An undo uses the reserve: a full disk must not block removals.
    const isUndo = op.type === 'undo';
    const { result } = await this.journal.append(isUndo ? op : { ...op, rules: 2 }, isUndo);
    this.snapshotWhenDue();
    if (result === undefined) throw new Error('an operation has an outcome');
    return result;
  }

  /**
   * Raises the met version to `version`, durably when it resolves with the version met then. Undefined, with nothing written, for
   * a version above `maxRaise`. Rejects as `apply` does.
   */
  async raise(version: LamportTime): Promise<LamportTime | undefined> {
    if (compareLamport(version, maxRaise(this.version)) > 0) return undefined;
    if (compareLamport(version, this.version) > 0) await this.journal.append({ type: 'raise', version });
    this.snapshotWhenDue();
    return this.version;
  }

  /** Writes what is queued, and closes. No write may follow. */
  async close(): Promise<void> {
    this.isClosing = true;
    await this.snapshotRun;
    await this.journal.close();
  }

  private snapshotWhenDue(): void {
    if (this.isTakingSnapshot || this.isClosing || this.journal.bytesSinceRotation <= this.nextSnapshotBytes) return;
    this.isTakingSnapshot = true;
    this.snapshotRun = this.takeSnapshot().finally(() => {
      this.isTakingSnapshot = false;
    });
  }

  /** Never rejects: without a snapshot the journal only stays longer. */
  private async takeSnapshot(): Promise<void> {
    const { low, journal, history, options } = this;
    try {
      await journal.rotate();
      low.data = { position: journal.position, ...history.capture() };
      const { seq } = low.data.position;
      await low.write();
      await journal.assertCurrent();
      await this.files.removeOthers();
      await journal.removeThrough(seq);
      this.nextSnapshotBytes = options.snapshotEveryBytes;
    } catch (error) {
      if (isAppError(error, 'superseded')) this.ports.process.stop('another process has taken over', error);
      if (isAppError(error, 'outcome-unknown') || isAppError(error, 'superseded')) return;
      this.ports.log.warn('the snapshot of the groups failed; the journal keeps growing', { error: String(error) });
      this.nextSnapshotBytes = journal.bytesSinceRotation + options.snapshotEveryBytes;
    } finally {
      low.data = NOTHING;
    }
  }
}
