import { dirname } from 'node:path';
import type { Disk, DiskFile, Timers } from '../../kernel/index.js';
import { encodeLine, readSlots, replaceFile, SLOT_BYTES } from '../disk/index.js';

/** Where a database stands: so many commits, counted inside of it, of which the last was made in that incarnation. */
export interface CommitPosition {
  readonly databaseId: string;
  readonly incarnation: number;
  readonly count: number;
}

export interface CommitWitnessPorts {
  readonly disk: Disk;
  readonly timers: Timers;
}

/** Beside the database, so that what is done to all files of its name is done to this one too. */
export function witnessOf(databaseFile: string): string {
  return `${databaseFile}.commits`;
}

/** One that is durable, one that is being made durable, one that is written meanwhile. */
const SLOTS = 3;
const FILE_BYTES = SLOTS * SLOT_BYTES;
/** Commits of this time share one write: for one commit after the other, one each would take a tenth of the time. */
const WRITTEN_WITHIN_MS = 5;
/** Commits of this time share one fsync, so that the disk is busy with commits and not with their witness. */
const DURABLE_WITHIN_MS = 100;

/**
 * A small file beside a database that knows how far its commits had come, so that a start notices when some are missing.
 *
 * Invariant: a position is written here only after its commit is durable, so whatever a loss of power leaves of either file,
 * the witness is never ahead of the database. It may be behind by what was committed in the last
 * `WRITTEN_WITHIN_MS`, after a loss of power in the last `DURABLE_WITHIN_MS`.
 */
export class CommitWitness {
  private due: CommitPosition | undefined;
  private cancelWrite: (() => void) | undefined;
  private isDirty = false;
  private cancelTimer: (() => void) | undefined;
  private synchronizing: Promise<void> | undefined;

  private constructor(
    private readonly ports: CommitWitnessPorts,
    private readonly file: DiskFile,
    private slot: number,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** What the file at `path` has witnessed; undefined when there is none or nothing in it is whole. Changes nothing. */
  static async read(disk: Disk, path: string): Promise<CommitPosition | undefined> {
    return newestOf((await disk.read(path)) ?? Buffer.alloc(0))?.position;
  }

  /** `failed` is called when the file cannot be written: the database does not depend on it. */
  static async open(ports: CommitWitnessPorts, path: string, failed: (error: unknown) => void): Promise<CommitWitness> {
    const bytes = (await ports.disk.read(path)) ?? Buffer.alloc(0);
    const file = await ports.disk.open(path);
    const isNew = bytes.length < FILE_BYTES;
    if (isNew) await file.write(Buffer.alloc(FILE_BYTES - bytes.length, ' '), bytes.length);
    // A killed process may have left its newest slot undurable, and the next write goes over what is durable otherwise.
    await file.synchronize();
    if (isNew) await ports.disk.synchronizeDirectory(dirname(path));
    return new CommitWitness(ports, file, nextOf(newestOf(bytes)?.slot ?? 0), failed);
  }

  /** Durable when it resolves. */
  static create(disk: Disk, path: string, position: CommitPosition): Promise<void> {
    const bytes = Buffer.alloc(FILE_BYTES, ' ');
    slotOf(position).copy(bytes);
    return replaceFile(disk, path, (file) => file.write(bytes, 0));
  }

  /**
   * To be called when the commit is durable. Survives the death of the process after at most `WRITTEN_WITHIN_MS`, so that no
   * answer waits for it, and a loss of power a little later.
   */
  note(position: CommitPosition): void {
    this.due = position;
    this.cancelWrite ??= this.ports.timers.after(WRITTEN_WITHIN_MS, () => {
      this.write();
    });
  }

  private write(): void {
    const position = this.due;
    if (position === undefined) return;
    this.due = undefined;
    this.cancelWrite?.();
    this.cancelWrite = undefined;
    this.isDirty = true;
    this.file.write(slotOf(position), this.slot * SLOT_BYTES).catch(this.failed);
    this.cancelTimer ??= this.ports.timers.after(DURABLE_WITHIN_MS, () => {
      this.cancelTimer = undefined;
      void this.synchronize();
    });
  }

  /** What was noted is durable when it resolves, unless that failed. Never rejects. */
  async synchronize(): Promise<void> {
    this.write();
    while (this.synchronizing) await this.synchronizing;
    if (!this.isDirty) return;
    this.isDirty = false;
    this.slot = nextOf(this.slot);
    this.synchronizing = this.file.synchronize().catch(this.failed);
    await this.synchronizing;
    this.synchronizing = undefined;
  }

  async close(): Promise<void> {
    this.cancelTimer?.();
    await this.synchronize();
    await this.file.close();
  }
}

interface StoredPosition {
  readonly commits: number;
  readonly life: number;
  readonly databaseId: string;
}

function nextOf(slot: number): number {
  return (slot + 1) % SLOTS;
}

function slotOf({ databaseId, incarnation, count }: CommitPosition): Buffer {
  // As JSON.stringify writes it, which takes three times as long; an id is of hexadecimal digits.
  const json = `{"commits":${String(count)},"life":${String(incarnation)},"databaseId":"${databaseId}"}`;
  return Buffer.from(encodeLine(json));
}

/** Positions of one database are in order by their count, also over incarnations. */
function newestOf(bytes: Buffer): { readonly position: CommitPosition; readonly slot: number } | undefined {
  const whole = readSlots(bytes, SLOTS).flatMap((json, slot) => {
    if (json === undefined) return [];
    const { commits: count, life: incarnation, databaseId } = JSON.parse(json) as StoredPosition;
    return { slot, position: { databaseId, incarnation, count } };
  });
  return whole.sort((a, b) => b.position.count - a.position.count)[0];
}
