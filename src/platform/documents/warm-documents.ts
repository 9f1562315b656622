import { type ChainPosition, type CrashSites, type Disk, GENESIS, type NextTurn } from '../../kernel/index.js';
import { type JournalRecord, type ReadAhead, WarmJournal } from '../journal/index.js';
import { DocumentMachine, type DocumentsSnapshot } from './document-machine.js';
import type { CollectionDeclaration, DocumentOp } from './document-op.js';
import { type HistoryStart, startAt } from './history-start.js';
import { inTurns } from './in-turns.js';
import { SnapshotCodec } from './snapshot-codec.js';
import { DOCUMENT_SNAPSHOTS, SnapshotFiles } from './snapshot-files.js';

interface WarmDocumentsPorts {
  readonly disk: Disk;
  readonly nextTurn: NextTurn;
  readonly crashSites: CrashSites;
}

interface WarmDocumentsOptions {
  /** That of the history. Need not be there yet. */
  readonly directory: string;
  readonly collections: readonly CollectionDeclaration[];
}

/** A start from each snapshot that may be the newest, up to the records that were read. */
export interface DocumentsAhead {
  readonly machine: DocumentMachine;
  readonly journal: ReadAhead;
  /** Oldest first. */
  readonly starts: readonly HistoryStart[];
}

interface Followed extends DocumentsAhead {
  readonly journal: WarmJournal<DocumentOp>;
  starts: HistoryStart[];
}

/** Segments that no snapshot follows are rare: the disk was full, or the writer died. */
const STARTS_KEPT = 8;
const MOST_LOOKS_PASSED = 256;

/**
 * The documents of another process, read while it writes them, so that a takeover reads only what has come since. Changes nothing on the
 * disk.
 *
 * Invariant: it has the state that an opening of the history would have after the same record, whether that begins from the snapshot that
 * was read here or from a later one. Records alone make the state, and a start is noted wherever a later snapshot may be.
 */
export class WarmDocuments {
  private followed: Followed | undefined;
  private looking: Promise<void> = Promise.resolve();
  private isEnding = false;
  private failures = 0;
  private looksToPass = 0;
  private lastFailure: string | undefined;

  constructor(
    private readonly ports: WarmDocumentsPorts,
    private readonly options: WarmDocumentsOptions,
  ) {}

  /** Why it has nothing; undefined when there was no failure. */
  get failure(): string | undefined {
    return this.lastFailure;
  }

  /**
   * Reads on in short steps. Call it a few times a second, one call at a time, until `take`. Never rejects: where the files do not fit together, it
   * begins again from the newest snapshot, less and less often.
   */
  look(): Promise<void> {
    this.looking = this.mustPass() ? Promise.resolve() : this.readOn();
    return this.looking;
  }

  /**
   * Call it when the other process is dead. Reads what that process has left, and ends. A reading that is under way goes on, because an
   * opening of the history would have to begin it again. Undefined when the files do not fit together.
   */
  async take(): Promise<DocumentsAhead | undefined> {
    this.isEnding = true;
    await this.looking;
    await this.readOn();
    await this.followed?.journal.close().catch(() => undefined);
    return this.followed;
  }

  private mustPass(): boolean {
    if (this.looksToPass === 0) return false;
    this.looksToPass -= 1;
    return true;
  }

  private async readOn(): Promise<void> {
    let followed = this.followed;
    try {
      followed ??= await this.begin();
      await followed.journal.look();
      // From here on it may be taken: before, it was far behind.
      this.followed = followed;
      this.failures = 0;
      await this.followSnapshots(followed);
    } catch (error) {
      // What it has read is given up, so a file that cannot be closed changes nothing.
      await followed?.journal.close().catch(() => undefined);
      this.followed = undefined;
      this.lastFailure = String(error);
      this.looksToPass = Math.min(2 ** this.failures, MOST_LOOKS_PASSED) - 1;
      this.failures += 1;
    }
  }

  private async begin(): Promise<Followed> {
    const files = this.snapshotFiles();
    const newest = await files.findNewest();
    const machine = new DocumentMachine(this.options.collections, GENESIS);
    if (newest !== undefined) {
      const snapshot = await files.read();
      if (snapshot === null) throw new Error(`${newest.name} was removed before it was read`);
      await inTurns(machine.restoring(snapshot), this.ports.nextTurn);
    }
    const starts = [startAt(machine, newest?.seq)];
    const noteAll = (record: JournalRecord<DocumentOp>): void => {
      const result = machine.apply(record);
      for (const { earlier } of followed.starts) earlier.note(record, result);
    };
    const journal = new WarmJournal<DocumentOp>(this.ports, this.options.directory, machine.appliedPosition, {
      apply: noteAll,
      segmentBegan: ({ seq }: ChainPosition) => {
        if (followed.starts.some(({ covered }) => covered.seq === seq)) return;
        followed.starts = [...followed.starts, startAt(machine, seq)].slice(-STARTS_KEPT);
      },
    });
    const followed: Followed = { machine, journal, starts };
    return followed;
  }

  /** The writer packs its documents at each snapshot, and so does this one, so that it needs no more memory. */
  private async followSnapshots(followed: Followed): Promise<void> {
    if (followed.starts.length < 2) return;
    const newest = await this.snapshotFiles().findNewest();
    const begun = followed.starts.findIndex(({ snapshotSeq }) => snapshotSeq === newest?.seq);
    if (begun < 1) return;
    followed.starts = followed.starts.slice(begun);
    const captured = followed.machine.capture();
    if (await this.pack(captured)) followed.machine.rebase(captured);
  }

  private async pack({ collections }: DocumentsSnapshot): Promise<boolean> {
    for (const documents of collections.values()) {
      for (const _ of documents.blocks()) {
        if (this.isEnding) return false;
        await new Promise<void>((resolve) => {
          this.ports.nextTurn(resolve);
        });
      }
    }
    return true;
  }

  private snapshotFiles(): SnapshotFiles<DocumentsSnapshot> {
    const { directory, collections } = this.options;
    return new SnapshotFiles(this.ports, {
      ...{ directory, name: DOCUMENT_SNAPSHOTS, codec: new SnapshotCodec(collections) },
      seqOf: ({ meta }) => meta.seq,
    });
  }
}
