import { dirname } from 'node:path';
import {
  type ChainPosition,
  type CrashSites,
  type Disk,
  type DiskFile,
  GENESIS,
  type Log,
  type NextTurn,
  type Timers,
} from '../../kernel/index.js';
import { isDiskFull } from './disk-full.js';
import { encodeLine, readSlots, replaceFile, SLOT_BYTES } from '../disk/index.js';

const FORMAT = 1;
/** A power loss may lose the notes written within this time, and only what they vouch for. */
const SYNCHRONIZE_AFTER_MS = 100;

/** The last durable record of a journal, and the file that ended with it. */
export interface WitnessedEnd extends ChainPosition {
  readonly segment: string;
  readonly bytes: number;
}

/** `unreadable`: the file has no whole slot. `none`: there is no file. */
export type Testimony = WitnessedEnd | 'unreadable' | 'none';

export interface EndWitnessPorts {
  readonly disk: Disk;
  readonly crashSites: CrashSites;
  readonly log: Log;
}

interface Slot {
  readonly count: number;
  readonly end: WitnessedEnd;
}

const NOTHING: WitnessedEnd = { ...GENESIS, segment: '', bytes: 0 };

export function witnessPath(journalDirectory: string): string {
  return `${journalDirectory}.end`;
}

/** Reads the file beside the directory that says where the journal ended. */
export async function readTestimony(disk: Disk, journalDirectory: string): Promise<Testimony> {
  const bytes = await disk.read(witnessPath(journalDirectory));
  if (bytes === undefined) return 'none';
  return newestOf(slotsIn(bytes))?.end ?? 'unreadable';
}

/** Call before a journal is moved or replaced: afterwards the file vouches for no end. Durable when it resolves. */
export async function forgetEnd(ports: EndWitnessPorts, journalDirectory: string): Promise<void> {
  await replaceWitness(ports, witnessPath(journalDirectory), NOTHING);
}

/**
 * Records the journal's end in a small file beside its directory, so that a cut at a record boundary is noticed.
 *
 * Invariant: the file names only a durable record of the journal, so a power loss cannot leave it ahead; and one of its two
 * slots is always whole and durable, because the slots swap only after the other one is synchronised. It is written after
 * each batch and synchronised a moment later, independently of the journal: after `kill -9` it lags by the last batch, or by
 * the batches during one of its own fdatasyncs; after a power loss by about a tenth of a second.
 */
export class EndWitness {
  private file: DiskFile | undefined;
  private noted: WitnessedEnd | undefined;
  private isNoteDue = false;
  private running: Promise<void> | undefined;
  private isDue = false;
  private isUnsynchronised = false;
  private cancel: (() => void) | undefined;
  private hasFailed = false;
  private isMade = true;
  private assertOwned: () => Promise<void> = () => Promise.resolve();

  private constructor(
    private readonly ports: EndWitnessPorts & { readonly nextTurn: NextTurn; readonly timers: Timers },
    private readonly path: string,
    private count: number,
    private slot: number,
  ) {}

  /** The testimony must have been read and found right. Makes the file if it is missing; durable when it resolves. */
  static async begin(
    ports: EndWitnessPorts & { readonly nextTurn: NextTurn; readonly timers: Timers },
    journalDirectory: string,
    end: WitnessedEnd,
  ): Promise<EndWitness> {
    const path = witnessPath(journalDirectory);
    const slots = slotsIn((await ports.disk.read(path)) ?? Buffer.alloc(0));
    const newest = newestOf(slots);
    if (newest === undefined) {
      const witness = new EndWitness(ports, path, 0, 0);
      witness.isMade = false;
      await witness.makeOrFail(end);
      return witness;
    }
    // A killed predecessor may have just renamed the file.
    await ports.disk.synchronizeDirectory(dirname(path));
    // A single whole slot is durable. With two, a killed predecessor may not have synchronised the newer, so that slot is
    // rewritten byte for byte before the older one is replaced.
    const slot = slots.indexOf(newest);
    const isOtherWhole = slots[1 - slot] !== undefined;
    const witness = isOtherWhole
      ? new EndWitness(ports, path, newest.count - 1, slot)
      : new EndWitness(ports, path, newest.count, 1 - slot);
    if (isOtherWhole) await witness.makeDurable(newest.end);
    witness.note(end);
    return witness;
  }

  /** False when the file could not be made or written, so that currently only the journal knows its end. */
  get isKept(): boolean {
    return !this.hasFailed;
  }

  /** From now on the file, which all incarnations share, is written only while `assertOwned` resolves. */
  guard(assertOwned: () => Promise<void>): void {
    this.assertOwned = assertOwned;
  }

  /** `end` must be durable in the journal. Returns at once. */
  note(end: WitnessedEnd): void {
    this.noted = end;
    this.isNoteDue = true;
    this.start();
  }

  /** When it resolves, the last note is durable unless the file cannot be written. */
  async flush(): Promise<void> {
    await this.running;
    this.isDue = true;
    this.start();
    await this.running;
  }

  /** A journal that has failed gets no further note. */
  async close(isJournalWhole: boolean): Promise<void> {
    if (isJournalWhole) await this.flush();
    else await this.running;
    this.cancel?.();
    await this.file?.close();
  }

  private start(): void {
    this.running ??= this.run();
  }

  /**
   * When the file cannot be written, it only vouches for less: the journal continues, and its next note tries again.
   */
  private async run(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.ports.nextTurn(resolve);
    });
    try {
      while (this.isNoteDue || this.isDue) {
        if (this.isNoteDue) await this.write();
        if (this.isDue) await this.synchronize();
      }
    } catch (error) {
      await this.fail(error);
    }
    this.running = undefined;
  }

  private async write(): Promise<void> {
    const { noted: end } = this;
    this.isNoteDue = false;
    if (end === undefined) return;
    await this.assertOwned();
    if (!this.isMade) {
      await this.make(end);
      return;
    }
    this.count += 1;
    this.file ??= await (this.hasFailed ? this.reopen() : this.ports.disk.open(this.path));
    await this.file.write(encodeSlot({ count: this.count, end }), this.slot * SLOT_BYTES);
    this.ports.crashSites.reach('end-witness.write.after');
    this.isUnsynchronised = true;
    this.cancel ??= this.ports.timers.after(SYNCHRONIZE_AFTER_MS, () => {
      this.cancel = undefined;
      this.isDue = true;
      this.start();
    });
  }

  private async synchronize(): Promise<void> {
    this.isDue = false;
    if (!this.isUnsynchronised) return;
    await this.file?.synchronize();
    this.ports.crashSites.reach('end-witness.synchronize.after');
    this.isUnsynchronised = false;
    this.slot = 1 - this.slot;
    this.succeed();
  }

  /** A removed file is not made again, because it may be put back. */
  private async reopen(): Promise<DiskFile> {
    const { disk } = this.ports;
    if ((await disk.read(this.path)) === undefined) throw new Error('the file is missing');
    return disk.open(this.path);
  }

  private async makeDurable(end: WitnessedEnd): Promise<void> {
    this.noted = end;
    try {
      await this.write();
      await this.synchronize();
    } catch (error) {
      await this.fail(error);
    }
  }

  private async makeOrFail(end: WitnessedEnd): Promise<void> {
    this.noted = end;
    try {
      await this.make(end);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      await this.fail(error);
    }
  }

  private async make(end: WitnessedEnd): Promise<void> {
    await replaceWitness(this.ports, this.path, end);
    this.isMade = true;
    this.count = 1;
    this.slot = 1;
    this.succeed();
  }

  private succeed(): void {
    if (!this.hasFailed) return;
    this.hasFailed = false;
    this.ports.log.info('the file that records the end of the journal can be written again', { file: this.path });
  }

  /** Unsynchronised content is rewritten into the same slot, because the other slot is durable. */
  private async fail(error: unknown): Promise<void> {
    this.isNoteDue = this.noted !== undefined;
    this.isDue = false;
    this.isUnsynchronised = false;
    const { file } = this;
    this.file = undefined;
    if (!this.hasFailed) {
      const message = 'the file that records the end of the journal cannot be written; each append tries again';
      this.ports.log.warn(message, { file: this.path, error: String(error) });
    }
    this.hasFailed = true;
    await file?.close().catch(() => undefined);
  }
}

/** Makes a file whose first slot says `end`, durable when it resolves; the old file remains until then. */
async function replaceWitness({ disk, crashSites }: EndWitnessPorts, path: string, end: WitnessedEnd): Promise<void> {
  const bytes = Buffer.alloc(2 * SLOT_BYTES, ' ');
  encodeSlot({ count: 1, end }).copy(bytes);
  const newline = Buffer.from('\n');
  for (const slot of [1, 2]) newline.copy(bytes, slot * SLOT_BYTES - 1);
  crashSites.reach('end-witness.replace.before');
  await replaceFile(
    disk,
    path,
    (file) => file.write(bytes, 0),
    (step) => {
      if (step === 'rename') crashSites.reach('end-witness.rename.after');
      if (step === 'directory') crashSites.reach('end-witness.replace.after');
    },
  );
}

function encodeSlot({ count, end }: Slot): Buffer {
  const { epoch, seq, hash, segment, bytes } = end;
  return Buffer.from(encodeLine(JSON.stringify({ format: FORMAT, count, end: { epoch, seq, hash, segment, bytes } })));
}

function slotsIn(bytes: Buffer): readonly (Slot | undefined)[] {
  return readSlots(bytes, 2).map((json) => {
    if (json === undefined) return undefined;
    const { format, ...slot } = JSON.parse(json) as Slot & { readonly format: number };
    return format === FORMAT ? slot : undefined;
  });
}

function newestOf([first, second]: readonly (Slot | undefined)[]): Slot | undefined {
  return (second?.count ?? 0) > (first?.count ?? 0) ? second : first;
}
