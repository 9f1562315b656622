import { afterAll, describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { type Disk, type DiskFile, isAppError } from '../../kernel/index.js';
import { readTestimony } from './end-witness.js';
import type { NumberedRecord } from '../../../test/support/journal-history.js';
import {
  JOURNAL_DIRECTORY,
  JournalWorld,
  type JournalWorldOptions,
  openImage,
  RecordingSink,
} from '../../../test/support/journal-world.js';
import { SeededRandom } from '../../../test/support/seeded-random.js';
import { SimulatedDisk } from '../../../test/support/simulated-disk.js';

const RUNS = 400;
const STEPS_PER_RUN = 60;

type Step =
  | { readonly type: 'append'; readonly count: number; readonly textBytes: number; readonly reserved: boolean }
  | { readonly type: 'rotate' | 'snapshot' | 'settle' | 'lose-power' | 'kill' | 'close' | 'room' }
  | { readonly type: 'clock'; readonly stepMs: number }
  | { readonly type: 'fill'; readonly roomBytes: number }
  | { readonly type: 'fail'; readonly nth: number };

const just = (type: 'rotate' | 'snapshot' | 'settle' | 'lose-power' | 'kill' | 'close' | 'room'): fc.Arbitrary<Step> =>
  fc.constant({ type });

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('append' as const),
      count: fc.integer({ min: 1, max: 4 }),
      textBytes: fc.integer({ min: 0, max: 150 }),
      reserved: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: just('rotate') },
  { weight: 2, arbitrary: just('snapshot') },
  { weight: 3, arbitrary: just('settle') },
  { weight: 2, arbitrary: just('lose-power') },
  { weight: 2, arbitrary: just('kill') },
  { weight: 1, arbitrary: just('close') },
  { weight: 1, arbitrary: just('room') },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('fill' as const), roomBytes: fc.integer({ min: 0, max: 600 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('clock' as const), stepMs: fc.integer({ min: -5000, max: 5000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('fail' as const), nth: fc.integer({ min: 1, max: 6 }) }) },
);

class Run {
  readonly violations: string[] = [];
  steps = 0;
  private pending: Promise<unknown>[] = [];
  private readonly world: JournalWorld;

  constructor(seed: number, options: JournalWorldOptions) {
    this.world = new JournalWorld({ ...options, random: new SeededRandom(seed), reserveBytes: 400 });
    this.world.disk.beforeCall = () => new Promise(setImmediate);
  }

  async play(steps: readonly Step[]): Promise<void> {
    await this.restart('lose-power');
    for (const step of steps) {
      await this.take(step);
      this.steps += 1;
      for (let turns = this.world.random.below(6); turns > 0; turns -= 1) await new Promise(setImmediate);
    }
    await this.restart('lose-power');
  }

  private async take(step: Step): Promise<void> {
    const { world } = this;
    switch (step.type) {
      case 'append': {
        const { reserved, textBytes: length } = step;
        for (let count = step.count; count > 0; count -= 1) {
          this.pending.push(world.append({ reserved, text: 'é\n"'.repeat(length).slice(0, length) }));
        }
        break;
      }
      case 'rotate':
        this.pending.push(world.journal.rotate().catch(() => undefined));
        break;
      case 'snapshot':
        world.takeSnapshot();
        this.pending.push(world.removeCovered().catch(() => undefined));
        break;
      case 'settle':
        await Promise.all(this.pending.splice(0));
        if (world.process.isStopped) await this.restart('kill');
        break;
      case 'close':
        await Promise.all(this.pending.splice(0));
        await world.journal.close().catch(() => undefined);
        await this.restart('kill');
        break;
      case 'fail':
        world.disk.plan({ nth: step.nth, code: 'EIO' });
        break;
      case 'fill':
        world.disk.capacityBytes = [...world.disk.image().values()].reduce(
          (sum, { length }) => sum + length,
          step.roomBytes,
        );
        break;
      case 'room':
        world.disk.capacityBytes = Infinity;
        break;
      case 'clock':
        world.clock.advance(step.stepMs);
        break;
      case 'kill':
      case 'lose-power':
        await this.restart(step.type);
    }
  }

  /** Cuts the data of the ended incarnation at some line, and checks that the next incarnation notices it. */
  private async unnoticedCuts(image: ReadonlyMap<string, Buffer>, end: Step['type']): Promise<readonly string[]> {
    const { world } = this;
    const paths = [...image.keys()].filter((name) => name.endsWith('.log')).sort();
    const path = paths.findLast((name) => image.get(name)?.includes('"op"'));
    const bytes = image.get(path ?? '') ?? Buffer.alloc(0);
    const ends = [...bytes].flatMap((byte, at) => (byte === 0x0a ? [at + 1] : []));
    const testimony = await readTestimony(new SimulatedDisk(undefined, image).attach(), JOURNAL_DIRECTORY);
    if (path === undefined || ends.length === 0 || typeof testimony === 'string') return [];
    const cut = bytes.subarray(0, ends[world.random.below(ends.length)]);
    const { error, journal } = await openImage(new Map(image).set(path, cut), world.covered);
    if (error !== undefined) {
      cutsMade += 1;
      // Before the segment of a start after which no record came, no end is missing.
      const code = path === paths.at(-1) ? 'recovery-needed' : 'data-corrupt';
      return isAppError(error, code) ? [] : [`a cut was refused otherwise: ${inspect(error)}`];
    }
    const { seq = 0 } = journal?.position ?? {};
    if (seq < testimony.seq)
      return [`record ${String(testimony.seq)} was cut off after ${end} and the journal did not notice`];
    return [];
  }

  /** Audits the ended incarnation, then the state of the next. A full disk may prevent its start, so room is made. */
  private async restart(end: 'kill' | 'lose-power'): Promise<void> {
    const { world } = this;
    this.violations.push(...world.audit());
    if (end === 'kill') world.disk.kill();
    else world.disk.losePower();
    await Promise.all(this.pending.splice(0));
    world.disk.capacityBytes = Infinity;
    const left = world.disk.image();
    await world.open();
    this.violations.push(...world.audit(), ...(await this.unnoticedCuts(left, end)));
  }
}

let stepsTaken = 0;
let cutsMade = 0;

async function violationsOf(seed: number, steps: readonly Step[], options: JournalWorldOptions): Promise<string[]> {
  const run = new Run(seed, options);
  try {
    await run.play(steps);
  } catch (error) {
    run.violations.push(`recovery refused: ${String(error)}`);
  }
  stepsTaken += run.steps;
  return run.violations;
}

const sequences = fc.array(step, { minLength: 1, maxLength: STEPS_PER_RUN, size: 'max' });

/** The first broken promise that a search finds; undefined when it finds none. */
async function firstViolation(options: JournalWorldOptions): Promise<string | undefined> {
  for (const [seed, steps] of fc.sample(fc.tuple(fc.nat(), sequences), { seed: 20261121, numRuns: RUNS })) {
    const [violation] = await violationsOf(seed, steps, options);
    if (violation !== undefined) return violation;
  }
  return undefined;
}

describe('Journal under any sequence of appends, rotations, snapshots, faults and crashes', () => {
  afterAll(() => {
    expect(stepsTaken).toBeGreaterThan(5000);
    expect(cutsMade).toBeGreaterThan(500);
  });

  it('keeps every acknowledged record once and in one chain, keeps no refused record, and notices a lost end', async () => {
    const keepsItsPromises = fc.asyncProperty(fc.nat(), sequences, async (seed, steps) => {
      expect(await violationsOf(seed, steps, {})).toEqual([]);
    });

    await fc.assert(keepsItsPromises, { numRuns: RUNS });
  }, 60_000);
});

/** Delegates to a real disk, except for the calls that a test drops. */
class ForgetfulDisk implements Disk {
  constructor(
    private readonly disk: Disk,
    private readonly forgets: {
      readonly files?: boolean;
      readonly witness?: boolean;
      readonly directories?: boolean;
      readonly truncations?: boolean;
    },
  ) {}

  ensureDirectory = (path: string): Promise<void> => this.disk.ensureDirectory(path);
  list = (directory: string): Promise<readonly string[]> => this.disk.list(directory);
  listDirectories = (directory: string): Promise<readonly string[]> => this.disk.listDirectories(directory);
  read = (path: string): Promise<Buffer | undefined> => this.disk.read(path);
  openForReading: Disk['openForReading'] = (path) => this.disk.openForReading(path);
  rename = (from: string, to: string): Promise<void> => this.disk.rename(from, to);
  remove = (path: string): Promise<void> => this.disk.remove(path);
  synchronizeDirectory = (directory: string): Promise<void> =>
    this.forgets.directories === true ? Promise.resolve() : this.disk.synchronizeDirectory(directory);

  open: Disk['open'] = async (path) => this.forgetting(path, await this.disk.open(path));
  create: Disk['create'] = async (path) => this.forgetting(path, await this.disk.create(path));

  private forgetting(path: string, file: DiskFile): DiskFile {
    return {
      write: (bytes, offset) => file.write(bytes, offset),
      synchronize: () => {
        const isForgotten = path.includes('.end') ? this.forgets.witness : this.forgets.files;
        return isForgotten === true ? Promise.resolve() : file.synchronize();
      },
      truncate: (length) => (this.forgets.truncations === true ? Promise.resolve() : file.truncate(length)),
      close: () => file.close(),
    };
  }
}

class SkippingSink extends RecordingSink {
  override apply(record: NumberedRecord): number {
    return record.seq % 5 === 3 ? record.op.n : super.apply(record);
  }
}

class RepeatingSink extends RecordingSink {
  override apply(record: NumberedRecord): number {
    if (record.seq % 5 === 3) super.apply(record);
    return super.apply(record);
  }
}

describe('the search for broken promises', () => {
  const planted: [bug: string, finding: RegExp, options: JournalWorldOptions][] = [
    [
      'acknowledges before the fdatasync',
      /acknowledged and is lost|recovery refused/,
      { spoilDisk: (disk) => new ForgetfulDisk(disk, { files: true }) },
    ],
    [
      'never synchronises a directory',
      /acknowledged and is lost|recovery refused/,
      { spoilDisk: (disk) => new ForgetfulDisk(disk, { directories: true }) },
    ],
    [
      'treats an unsynchronised slot of its witness as durable',
      /recovery refused/,
      { spoilDisk: (disk) => new ForgetfulDisk(disk, { witness: true }) },
    ],
    [
      'leaves a refused write in the file',
      /was refused but exists|recovery refused/,
      { spoilDisk: (disk) => new ForgetfulDisk(disk, { truncations: true }) },
    ],
    ['skips a record in apply', /is lost|has the number/, { makeSink: (records) => new SkippingSink(records) }],
    ['applies a record twice', /has the number|exists twice/, { makeSink: (records) => new RepeatingSink(records) }],
  ];

  it.each(planted)('given a journal that %s, reports it', async (_, finding, options) => {
    expect(await firstViolation(options)).toMatch(finding);
  });

  it('given the real journal, reports nothing for the same sequences', async () => {
    expect(await firstViolation({})).toBeUndefined();
  });
});
