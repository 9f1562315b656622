import { isAppError, type CrashSites, type Disk, GENESIS, type ChainPosition } from '../../src/kernel/index.js';
import { Journal, type JournalSink, type WhenEndIsMissing } from '../../src/platform/journal/index.js';
import { JournalHistory, type NumberedOp, type NumberedRecord } from './journal-history.js';
import { PROMPT_TIMERS } from './prompt-timers.js';
import { RecordingLog } from './recording-log.js';
import { RecordingProcessControl } from './recording-process-control.js';
import { SeededRandom } from './seeded-random.js';
import { SimulatedClock } from './simulated-clock.js';
import { SimulatedDisk } from './simulated-disk.js';

export const JOURNAL_DIRECTORY = '/data/documents';

const NO_CRASH_SITES: CrashSites = { reach: () => undefined };

/** Text that resembles the journal's own lines. */
const AWKWARD = ['', 'plain', '\n', 'ünïcode 📚 \u2028', '{"batch":{"durable":999999}}\n', '{"format":1}', '\ud800'];

export class RecordingSink implements JournalSink<NumberedOp, number> {
  rollBacks = 0;

  constructor(readonly records: NumberedRecord[]) {}

  apply(record: NumberedRecord): number {
    this.records.push(record);
    return record.op.n;
  }

  rollBack(): void {
    this.rollBacks += 1;
  }
}

export interface JournalWorldOptions {
  readonly random?: SeededRandom;
  readonly disk?: SimulatedDisk;
  readonly reserveBytes?: number;
  /** Used at each start. */
  readonly keptFrom?: number;
  /** Seams for planted bugs. */
  readonly spoilDisk?: (disk: Disk) => Disk;
  readonly makeSink?: (records: NumberedRecord[]) => RecordingSink;
}

/** One journal on one simulated disk over many processes, a snapshot that survives them, and all that clients saw. */
export class JournalWorld {
  readonly random: SeededRandom;
  readonly disk: SimulatedDisk;
  readonly clock = new SimulatedClock();
  readonly log = new RecordingLog();
  readonly history = new JournalHistory();
  process = new RecordingProcessControl();
  sink = new RecordingSink([]);
  private snapshot: readonly NumberedRecord[] = [];
  private current: Journal<NumberedOp, number> | undefined;
  private nextN = 1;

  constructor(private readonly options: JournalWorldOptions = {}) {
    this.random = options.random ?? new SeededRandom(1);
    this.disk = options.disk ?? new SimulatedDisk(this.random);
  }

  get journal(): Journal<NumberedOp, number> {
    if (!this.current) throw new Error('no journal was opened');
    return this.current;
  }

  get covered(): ChainPosition {
    return positionOf(this.snapshot.at(-1));
  }

  /** Starts a process. Its records are promised once the journal has opened. */
  async open(): Promise<void> {
    this.process = new RecordingProcessControl();
    this.sink = this.options.makeSink?.([...this.snapshot]) ?? new RecordingSink([...this.snapshot]);
    const attached = this.disk.attach();
    const ports = {
      disk: this.options.spoilDisk?.(attached) ?? attached,
      crashSites: NO_CRASH_SITES,
      log: this.log,
      clock: this.clock,
      nextTurn: setImmediate,
      timers: PROMPT_TIMERS,
      process: this.process,
    };
    const options = { directory: JOURNAL_DIRECTORY, reserveBytes: this.options.reserveBytes ?? 0 };
    const { keptFrom } = this.options;
    this.current = await Journal.open<NumberedOp, number>(ports, options, this.sink, this.covered, keptFrom);
    this.history.recovered(this.sink.records);
  }

  /** Records the answer to the client; resolves with its error, or undefined for an acknowledgement. */
  async append(options: { readonly text?: string; readonly reserved?: boolean } = {}): Promise<unknown> {
    const op = { n: this.nextN, text: options.text ?? AWKWARD[this.nextN % AWKWARD.length] ?? '' };
    this.nextN += 1;
    this.history.attempt(op);
    const { process } = this;
    try {
      const { record } = await this.journal.append(op, options.reserved);
      this.history.acknowledge(record, process.isStopped);
      return undefined;
    } catch (error) {
      if (isAppError(error, 'storage-full')) this.history.refuse(op);
      return error;
    }
  }

  async appendTogether(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.append()));
  }

  /** Takes a durable snapshot of all durable records. */
  takeSnapshot(): void {
    this.snapshot = [...this.sink.records];
  }

  removeCovered(): Promise<void> {
    return this.journal.removeThrough(this.covered.seq);
  }

  async reopenAfterPowerLoss(): Promise<void> {
    this.disk.losePower();
    await this.open();
  }

  async reopenAfterKill(): Promise<void> {
    this.disk.kill();
    await this.open();
  }

  audit(): string[] {
    return this.history.audit(this.sink.records);
  }
}

export function positionOf(record: NumberedRecord | undefined): ChainPosition {
  return record ? { epoch: record.epoch, seq: record.seq, hash: record.hash } : GENESIS;
}

export interface Reopened {
  readonly records: readonly NumberedRecord[];
  readonly error: unknown;
  readonly disk: SimulatedDisk;
  readonly log: RecordingLog;
  /** Undefined when the journal refused to open. */
  readonly journal: Journal<NumberedOp, number> | undefined;
}

/** Opens a journal on a synchronised copy of `image`. */
export async function openImage(
  image: ReadonlyMap<string, Buffer>,
  covered: ChainPosition = GENESIS,
  whenEndIsMissing: WhenEndIsMissing = 'refuse',
): Promise<Reopened> {
  const disk = new SimulatedDisk(new SeededRandom(1), image);
  const log = new RecordingLog();
  const sink = new RecordingSink([]);
  const process = new RecordingProcessControl();
  const ports = {
    disk: disk.attach(),
    crashSites: NO_CRASH_SITES,
    log,
    clock: new SimulatedClock(),
    nextTurn: setImmediate,
    timers: PROMPT_TIMERS,
    process,
  };
  try {
    const options = { directory: JOURNAL_DIRECTORY, reserveBytes: 0, whenEndIsMissing };
    const journal = await Journal.open<NumberedOp, number>(ports, options, sink, covered);
    return { records: sink.records, error: undefined, disk, log, journal };
  } catch (error) {
    return { records: sink.records, error, disk, log, journal: undefined };
  }
}
