import { type CrashSites, type EncodedRecord, GENESIS } from '../../src/kernel/index.js';
import { NO_CRASH_SITES } from '../../src/platform/crash-sites/index.js';
import {
  DocumentFollower,
  DocumentMachine,
  type DocumentOp,
  type DocumentsSnapshot,
  stateHash,
} from '../../src/platform/documents/index.js';
import type { JournalRecord } from '../../src/platform/journal/index.js';
import { PROMPT_TIMERS } from './prompt-timers.js';
import { RecordingLog } from './recording-log.js';
import { RecordingProcessControl } from './recording-process-control.js';
import { SimulatedClock } from './simulated-clock.js';
import { SimulatedCrash, SimulatedDisk } from './simulated-disk.js';

/** The protocol defines the promise of a replica; here it is a number that only grows. */
export interface TestPromise {
  readonly epoch: number;
}

export const REPLICA_DIRECTORY = '/replicas/5071';
const COLLECTIONS = [{ name: 'customers', counterField: 'orders_count' }];

/** One replica's copy on one simulated disk over many processes. */
export class FollowerWorld {
  readonly log = new RecordingLog();
  readonly clock = new SimulatedClock();
  process = new RecordingProcessControl();
  /** The disk call at which the process dies, and its occurrence, from 1. */
  dieAt: { readonly site: string; nth: number } | undefined;
  readonly reached = new Set<string>();
  private current: DocumentFollower<TestPromise> | undefined;

  constructor(
    readonly disk: SimulatedDisk = new SimulatedDisk(),
    private readonly snapshotEveryBytes = 1_000_000,
  ) {}

  get follower(): DocumentFollower<TestPromise> {
    if (!this.current) throw new Error('no follower was opened');
    return this.current;
  }

  async open(): Promise<DocumentFollower<TestPromise>> {
    this.process = new RecordingProcessControl();
    this.current = undefined;
    const ports = {
      disk: this.disk.attach(),
      crashSites: this.crashSites(),
      log: this.log,
      clock: this.clock,
      nextTurn: setImmediate,
      timers: PROMPT_TIMERS,
      process: this.process,
    };
    this.current = await DocumentFollower.open(ports, {
      directory: REPLICA_DIRECTORY,
      collections: COLLECTIONS,
      snapshotEveryBytes: this.snapshotEveryBytes,
      journalReserveBytes: 0,
    });
    return this.current;
  }

  /** The record lines of the journal in `directory`, in order, without the lines that differ between copies. */
  recordLines(directory = `${REPLICA_DIRECTORY}/documents`): string[] {
    return recordLines(this.disk.image(), directory);
  }

  quarantined(): string[] {
    const names = [...this.disk.image().keys()].flatMap((path) => /(quarantined-[^/]*)/.exec(path)?.[1] ?? []);
    return [...new Set(names)].sort();
  }

  private crashSites(): CrashSites {
    return {
      reach: (site) => {
        NO_CRASH_SITES.reach(site);
        this.reached.add(site);
        if (this.dieAt?.site !== site) return;
        this.dieAt.nth -= 1;
        if (this.dieAt.nth > 0) return;
        this.disk.kill();
        throw new SimulatedCrash();
      },
    };
  }
}

export function recordLines(image: ReadonlyMap<string, Buffer>, directory: string): string[] {
  return [...image.keys()]
    .filter((path) => path.startsWith(`${directory}/journal-`) && path.endsWith('.log'))
    .sort()
    .flatMap((path) => (image.get(path) ?? Buffer.alloc(0)).toString().split('\n'))
    .filter((line) => line.includes(' {"epoch":'));
}

/** The state after these records, computed without a store. */
export function stateAfter(records: readonly EncodedRecord[]): DocumentsSnapshot {
  const machine = new DocumentMachine(COLLECTIONS, GENESIS);
  for (const { json } of records) machine.apply(JSON.parse(json) as JournalRecord<DocumentOp>);
  return machine.capture();
}

export function hashOf(snapshot: DocumentsSnapshot): Promise<string> {
  return stateHash(snapshot, setImmediate);
}

export async function* inChunks(bytes: Buffer, chunkBytes = 100): AsyncGenerator<Buffer, void, undefined> {
  for (let offset = 0; offset < bytes.length; offset += chunkBytes) {
    yield await Promise.resolve(bytes.subarray(offset, offset + chunkBytes));
  }
}
