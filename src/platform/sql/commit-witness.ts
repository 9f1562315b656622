import { dirname } from 'node:path';
import type { Disk, DiskFile, Timers } from '../../kernel/index.js';
import { encodeLine, readSlots, replaceFile, SLOT_BYTES } from '../disk/index.js';

/** The position of a database: its count of commits, and the incarnation that made the last one. */
export interface CommitPosition {
  readonly databaseId: string;
  readonly incarnation: number;
  readonly count: number;
}

export interface CommitWitnessPorts {
  readonly disk: Disk;
  readonly timers: Timers;
}

/** Lies beside the database, so that operations on all files with its name include it. */
export function witnessOf(databaseFile: string): string {
  return `${databaseFile}.commits`;
}

/** One slot is durable, one is being made durable, and one is written in the meantime. */
const SLOTS = 3;
const FILE_BYTES = SLOTS * SLOT_BYTES;
/** Commits within this time share one write; one write per commit would take a tenth of the time of serial commits. */
const WRITTEN_WITHIN_MS = 5;
/** Commits within this time share one fsync, so that the disk is busy with commits and not with their witness. */
const DURABLE_WITHIN_MS = 100;

/**
 * A small file beside a database that records how far its commits had come, so that a start notices missing ones. Invariant: a
 * position is written only after its commit is durable, so after any loss of power the witness is never ahead of the database. It
 * may lag by the commits of the last `WRITTEN_WITHIN_MS`, after a loss of power by those of the last `DURABLE_WITHIN_MS`.
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

  /** The position witnessed by the file at `path`; undefined when the file is missing or has no whole slot. Changes nothing. */
  static async read(disk: Disk, path: string): Promise<CommitPosition | undefined> {
    return newestOf((await disk.read(path)) ?? Buffer.alloc(0))?.position;
  }

  /** `failed` is called when the file cannot be written; the database does not depend on the witness. */
  static async open(ports: CommitWitnessPorts, path: string, failed: (error: unknown) => void): Promise<CommitWitness> {
    const bytes = (await ports.disk.read(path)) ?? Buffer.alloc(0);
    const file = await ports.disk.open(path);
    const isNew = bytes.length < FILE_BYTES;
    if (isNew) await file.write(Buffer.alloc(FILE_BYTES - bytes.length, ' '), bytes.length);
    // A killed process may have left its newest slot undurable, and the next write would overwrite the durable one.
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

  /** Call it when the commit is durable. Survives a kill after `WRITTEN_WITHIN_MS`, and a loss of power a little later. */
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

  /** Noted positions are durable when it resolves, unless writing failed. Never rejects. */
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
  // Equal to JSON.stringify, which takes three times as long; ids have only hexadecimal digits.
  const json = `{"commits":${String(count)},"life":${String(incarnation)},"databaseId":"${databaseId}"}`;
  return Buffer.from(encodeLine(json));
}

/** The count orders the positions of one database, also across incarnations. */
function newestOf(bytes: Buffer): { readonly position: CommitPosition; readonly slot: number } | undefined {
  const whole = readSlots(bytes, SLOTS).flatMap((json, slot) => {
    if (json === undefined) return [];
    const { commits: count, life: incarnation, databaseId } = JSON.parse(json) as StoredPosition;
    return { slot, position: { databaseId, incarnation, count } };
  });
  return whole.sort((a, b) => b.position.count - a.position.count)[0];
}
