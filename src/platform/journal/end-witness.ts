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
/** What was written within that time may be lost with the power, and with it only what it vouches for. */
const SYNCHRONIZE_AFTER_MS = 100;

/** The last durable record of a journal, and which file ended behind it. */
export interface WitnessedEnd extends ChainPosition {
  readonly segment: string;
  readonly bytes: number;
}

/** `unreadable`: there is a file, and no part of it is whole. `none`: there is no file. */
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

/** Where the journal in this directory ended, as the file beside the directory says. */
export async function readTestimony(disk: Disk, journalDirectory: string): Promise<Testimony> {
  const bytes = await disk.read(witnessPath(journalDirectory));
  if (bytes === undefined) return 'none';
  return newestOf(slotsIn(bytes))?.end ?? 'unreadable';
}

/**
 * To be called before a journal is moved away or replaced by one that may end earlier: the file vouches for nothing from
 * then on. Durable when it resolves.
 */
export async function forgetEnd(ports: EndWitnessPorts, journalDirectory: string): Promise<void> {
  await replaceWitness(ports, witnessPath(journalDirectory), NOTHING);
}

/**
 * Knows from a second place where a journal ends, so that an end that was cut at a record is noticed: one small file
 * beside the journal's directory.
 *
 * Invariant: it names only what is durable in the journal already, so that no loss of power can leave it ahead; and one
 * of its two slots is always whole and durable, since the other one is written until it has been synchronised and only
 * then do they change places. It is written behind each batch and synchronised a moment later, beside the journal's own
 * way: after `kill -9` it is behind by the last batch, or by those of one fdatasync of its own; after a loss of power by
 * about a tenth of a second.
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

  private constructor(
    private readonly ports: EndWitnessPorts & { readonly nextTurn: NextTurn; readonly timers: Timers },
    private readonly path: string,
    private count: number,
    private slot: number,
  ) {}

  /** Of a journal whose testimony was heard and found right. Makes the file when there is none; durable then. */
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
    // A killed predecessor may have just renamed it.
    await ports.disk.synchronizeDirectory(dirname(path));
    // A single whole slot is durable. Of two only the older one is for certain: a killed predecessor may not have
    // synchronised the newest, so it is written once more, byte for byte, before anything takes the older one's place.
    const slot = slots.indexOf(newest);
    const isOtherWhole = slots[1 - slot] !== undefined;
    const witness = isOtherWhole
      ? new EndWitness(ports, path, newest.count - 1, slot)
      : new EndWitness(ports, path, newest.count, 1 - slot);
    if (isOtherWhole) await witness.makeDurable(newest.end);
    witness.note(end);
    return witness;
  }

  /** False: it could not be made or written, and the journal's end is not known from a second place for now. */
  get isKept(): boolean {
    return !this.hasFailed;
  }

  /** `end` is durable in the journal. Returns at once. */
  note(end: WitnessedEnd): void {
    this.noted = end;
    this.isNoteDue = true;
    this.start();
  }

  /** What was noted last is durable when it resolves, as far as it can be written. */
  async flush(): Promise<void> {
    await this.running;
    this.isDue = true;
    this.start();
    await this.running;
  }

  /** Of a journal that has failed nothing more is written. */
  async close(isJournalWhole: boolean): Promise<void> {
    if (isJournalWhole) await this.flush();
    else await this.running;
    this.cancel?.();
    await this.file?.close();
  }

  private start(): void {
    this.running ??= this.run();
  }

  /** A witness that cannot be written only vouches for less: the journal goes on, and its next note is another try. */
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

  /** Of a file that was removed no other is made: it may be put back. */
  private async reopen(): Promise<DiskFile> {
    const { disk } = this.ports;
    if ((await disk.read(this.path)) === undefined) throw new Error('the file is not there');
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
    this.ports.log.info('where the journal ends is written down beside it again', { file: this.path });
  }

  /** What was not synchronised is written anew, into the same slot: the other one is durable. */
  private async fail(error: unknown): Promise<void> {
    this.isNoteDue = this.noted !== undefined;
    this.isDue = false;
    this.isUnsynchronised = false;
    const { file } = this;
    this.file = undefined;
    if (!this.hasFailed) {
      const message = 'where the journal ends cannot be written down beside it now; each write tries again';
      this.ports.log.warn(message, { file: this.path, error: String(error) });
    }
    this.hasFailed = true;
    await file?.close().catch(() => undefined);
  }
}

/** A file whose first slot says `end`, durable when it resolves; an older one stands until then. */
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
