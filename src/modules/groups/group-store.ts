import { join } from 'node:path';
import { Low } from 'lowdb';
import { isAppError } from '../../kernel/index.js';
import { SnapshotFile } from '../../platform/documents/index.js';
import { GENESIS, Journal, type JournalPorts } from '../../platform/journal/index.js';
import { GroupHistory, type GroupOp, type GroupOutcome } from './core/group-history.js';
import type { OperationKind } from './core/known-operation.js';
import { GROUP_SNAPSHOT_CODEC, type GroupSnapshot } from './group-snapshot.js';

export interface GroupStoreOptions {
  /** Of this store alone. */
  readonly directory: string;
  /** A snapshot is begun when this much was journaled since the last. */
  readonly snapshotEveryBytes: number;
  readonly journalReserveBytes: number;
}

const SNAPSHOT_FILE = 'groups.json';
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
    private readonly low: Low<GroupSnapshot>,
    private readonly history: GroupHistory,
    private readonly journal: Journal<GroupOp, GroupOutcome>,
  ) {
    this.nextSnapshotBytes = options.snapshotEveryBytes;
  }

  /** Makes what is missing and recovers. Throws `data-corrupt`, naming file and offset. */
  static async open(ports: JournalPorts, options: GroupStoreOptions): Promise<GroupStore> {
    const { directory, journalReserveBytes } = options;
    await ports.disk.ensureDirectory(directory);
    const file = new SnapshotFile(ports, join(directory, SNAPSHOT_FILE), GROUP_SNAPSHOT_CODEC);
    const low = new Low<GroupSnapshot>(file, NOTHING);
    await low.read();
    const history = new GroupHistory();
    history.restore(low.data);
    const journal = await Journal.open<GroupOp, GroupOutcome>(
      ports,
      { directory, reserveBytes: journalReserveBytes },
      { apply: ({ op, at }) => history.apply(op, at), rollBack: () => undefined },
      low.data.position,
    );
    low.data = NOTHING;
    if (journal.position.epoch < EPOCH) journal.beginEpoch(EPOCH);
    return new GroupStore(ports, options, low, history, journal);
  }

  /** Sorted. */
  all(): readonly string[] {
    return this.history.all();
  }

  has(groupId: string): boolean {
    return this.history.has(groupId);
  }

  /** What the operation of this id was to do; undefined when it is not known. */
  kindOf(id: string): OperationKind | undefined {
    return this.history.kindOf(id);
  }

  /** The highest version that was met here. */
  get version(): number {
    return this.history.version;
  }

  /**
   * What became of it, durable and visible when it resolves. Rejects with `storage-full` (nothing was written) or
   * `outcome-unknown` (the process is stopping).
   */
  async apply(op: GroupOp): Promise<GroupOutcome> {
    const foreseen = this.history.foresee(op);
    if (foreseen !== undefined) return foreseen;
    // An undo uses the reserve: a full disk must not keep what is to go.
    const { result } = await this.journal.append(op, op.type === 'undo');
    if (!this.isClosing && this.journal.segmentBytes > this.nextSnapshotBytes) this.snapshot();
    return result;
  }

  /** Writes out what is queued, and closes. No write may follow. */
  async close(): Promise<void> {
    this.isClosing = true;
    await this.snapshotRun;
    await this.journal.close();
  }

  private snapshot(): void {
    if (this.isTakingSnapshot) return;
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
      await journal.removeThrough(seq);
      this.nextSnapshotBytes = options.snapshotEveryBytes;
    } catch (error) {
      if (isAppError(error, 'outcome-unknown')) return;
      this.ports.log.warn('no snapshot of the groups was taken; the journal goes on', { error: String(error) });
      this.nextSnapshotBytes = journal.segmentBytes + options.snapshotEveryBytes;
    } finally {
      low.data = NOTHING;
    }
  }
}
