import { type Disk, GENESIS } from '../../src/kernel/index.js';
import { Journal } from '../../src/platform/journal/index.js';
import { JournalHistory, type NumberedOp, type NumberedRecord } from './journal-history.js';
import { JOURNAL_DIRECTORY, RecordingSink } from './journal-world.js';
import { PROMPT_TIMERS } from './prompt-timers.js';
import { RecordingLog } from './recording-log.js';
import { RecordingProcessControl } from './recording-process-control.js';
import type { SeededRandom } from './seeded-random.js';
import { SimulatedClock } from './simulated-clock.js';
import { SimulatedDisk } from './simulated-disk.js';

/** Stops at a call of its disk until it is told to continue, like a process that gets SIGSTOP there. */
export class StoppableDisk {
  private stopsAfter = Infinity;
  private resume: (() => void) | undefined;
  private resumed: Promise<void> | undefined;

  constructor(private readonly disk: Disk) {}

  /** Stops in front of the call after the next `calls`. */
  stopAfter(calls: number): void {
    this.stopsAfter = calls;
  }

  get isStopped(): boolean {
    return this.resume !== undefined;
  }

  continue(): void {
    this.stopsAfter = Infinity;
    this.resume?.();
    this.resume = undefined;
    this.resumed = undefined;
  }

  get view(): Disk {
    return this.stopping(this.disk);
  }

  private stopping<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (of, name) => {
        const member: unknown = Reflect.get(of, name);
        if (typeof member !== 'function') return member;
        return async (...parameters: unknown[]): Promise<unknown> => {
          await this.passOrStop();
          const result: unknown = await Reflect.apply(member, of, parameters);
          const isFile = ['open', 'create', 'openForReading'].includes(String(name)) && result !== undefined;
          return isFile ? this.stopping(result as object) : result;
        };
      },
    });
  }

  private async passOrStop(): Promise<void> {
    this.stopsAfter -= 1;
    if (this.stopsAfter < 0 && this.resumed === undefined) {
      this.resumed = new Promise((resolve) => (this.resume = resolve));
    }
    await this.resumed;
  }
}

/** One process with the journal. */
export interface Incarnation {
  readonly journal: Journal<NumberedOp, number>;
  readonly sink: RecordingSink;
  readonly process: RecordingProcessControl;
  readonly disk: StoppableDisk;
}

/** Several processes on one directory, because the lock says yes to each, and what their clients saw. */
export class SharedDirectory {
  readonly disk: SimulatedDisk;
  readonly history = new JournalHistory();
  readonly log = new RecordingLog();
  private nextN = 1;

  constructor(
    random: SeededRandom,
    /** A seam for a planted bug. */
    private readonly spoil: (disk: Disk) => Disk = (disk) => disk,
  ) {
    this.disk = new SimulatedDisk(random);
    this.disk.attach();
  }

  async open(): Promise<Incarnation> {
    const sink = new RecordingSink([]);
    const process = new RecordingProcessControl();
    const disk = new StoppableDisk(this.disk.attachBeside());
    const ports = {
      disk: this.spoil(disk.view),
      crashSites: { reach: () => undefined },
      log: this.log,
      clock: new SimulatedClock(),
      nextTurn: setImmediate,
      timers: PROMPT_TIMERS,
      process,
    };
    const options = { directory: JOURNAL_DIRECTORY, reserveBytes: 0 };
    const journal = await Journal.open<NumberedOp, number>(ports, options, sink, GENESIS);
    this.history.recovered(sink.records);
    return { journal, sink, process, disk };
  }

  /** Resolves with the error, or undefined for an acknowledgement. */
  async append({ journal, process }: Incarnation): Promise<unknown> {
    const op = { n: this.nextN, text: 'x'.repeat(this.nextN % 50) };
    this.nextN += 1;
    this.history.attempt(op);
    try {
      const { record } = await journal.append(op);
      this.history.acknowledge(record, process.isStopped);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  filesOf(incarnation: number): ReadonlyMap<string, Buffer> {
    return new Map(
      [...this.disk.image()].filter(([path]) => path.endsWith(`-${String(incarnation).padStart(6, '0')}.log`)),
    );
  }

  /** The content of all files. */
  texts(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.disk.image()].map(([path, bytes]) => [path, bytes.toString('latin1')]));
  }

  async recovered(): Promise<readonly NumberedRecord[]> {
    return (await this.open()).sink.records;
  }
}

/** Lets whatever can go on go on, until nothing happens any more. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 60; turn += 1) await new Promise(setImmediate);
}
