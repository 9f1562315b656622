import { dirname } from 'node:path';
import type { Disk, DiskFile, DiskReader } from '../../src/kernel/index.js';
import { SeededRandom } from './seeded-random.js';
import { SimulatedDirectories } from './simulated-directories.js';
import { SimulatedFile } from './simulated-file.js';

export type DiskOperation = keyof Disk | keyof DiskFile | keyof DiskReader;

export interface DiskCall {
  readonly operation: DiskOperation;
  readonly path: string;
}

export interface DiskFault {
  /** Which of the calls from now on, from 1. */
  readonly nth: number;
  /** Only calls of this kind count; absent: all. */
  readonly operation?: DiskOperation;
  /** Only calls on paths with this in them count; absent: all. */
  readonly in?: string;
  /** What the call fails with (`EIO`, `ENOSPC`), or that the process dies in it. */
  readonly code: 'EIO' | 'ENOSPC' | 'killed';
}

const FOREVER = Infinity;

/** What a dead process's disk calls end with. Nothing can handle it: whoever could is dead. */
export class SimulatedCrash extends Error {
  constructor() {
    super('the process that made this call is dead');
    this.name = 'SimulatedCrash';
  }
}

/**
 * A disk that loses what was not synchronised. It outlives the processes that use it: `attach` gives each its own view,
 * and `kill` or `losePower` makes every call of the earlier views fail with `SimulatedCrash`, without effect.
 */
export class SimulatedDisk {
  /** Every call that reached the disk, in order, also failed ones. Clear it at will. */
  readonly calls: DiskCall[] = [];
  /** Room for the visible files' bytes. A write beyond it is done in part and fails with `ENOSPC`. */
  capacityBytes = Infinity;
  /** Runs before each call: holds it back for as long as it likes. */
  beforeCall: ((call: DiskCall) => Promise<void>) | undefined;
  private readonly directories: SimulatedDirectories;
  private readonly allFiles = new Set<SimulatedFile>();
  private faults: { nth: number; readonly fault: DiskFault }[] = [];
  private life = 0;

  /** `image`: files that are there, durably, from the start. */
  constructor(
    private readonly random: SeededRandom = new SeededRandom(1),
    image: ReadonlyMap<string, Buffer> = new Map(),
  ) {
    const files = new Map([...image].map(([path, bytes]) => [path, new SimulatedFile(bytes)]));
    files.forEach((file) => this.allFiles.add(file));
    this.directories = new SimulatedDirectories(files);
  }

  attach(): Disk {
    this.life += 1;
    return new AttachedDisk(this, this.life);
  }

  /** The view of a second process that runs beside the first. */
  attachBeside(): Disk {
    return new AttachedDisk(this, this.life);
  }

  /** The view of a process that outlives all others. It only reads, and its calls are not among `calls` and meet no fault. */
  attachReader(): Disk {
    return new AttachedDisk(this, FOREVER);
  }

  /** The process ends; what it wrote stays, synchronised or not. */
  kill(): void {
    this.life += 1;
    this.faults = [];
  }

  /** As `kill`, and what was not synchronised is lost, kept or torn, each change for itself. */
  losePower(): void {
    this.kill();
    this.allFiles.forEach((file) => {
      file.losePower(this.random);
    });
    this.directories.losePower(this.random);
  }

  plan(fault: DiskFault): void {
    this.faults.push({ nth: fault.nth, fault });
  }

  /** What a program that reads every file sees now. */
  image(): Map<string, Buffer> {
    return new Map([...this.directories.files].map(([path, file]) => [path, file.content]));
  }

  /** Puts a file there, durably. */
  plant(path: string, bytes: Uint8Array): void {
    this.directories.ensure(dirname(path));
    const file = new SimulatedFile(Buffer.from(bytes));
    this.allFiles.add(file);
    this.directories.set(path, file);
    this.directories.synchronize(dirname(path));
  }

  /** For the views. `onFault` says what a failing call leaves behind; absent: nothing. */
  async perform<T>(
    life: number,
    call: DiskCall,
    effect: (directories: SimulatedDirectories) => T,
    onFault?: (code: DiskFault['code'], random: SeededRandom) => void,
  ): Promise<T> {
    if (life === FOREVER) return effect(this.directories);
    await this.beforeCall?.(call);
    if (life !== this.life) throw new SimulatedCrash();
    this.calls.push(call);
    const code = this.takeFault(call);
    if (code === undefined) return effect(this.directories);
    onFault?.(code, this.random);
    if (code !== 'killed') throw diskError(code, call);
    this.kill();
    throw new SimulatedCrash();
  }

  /** For the views. */
  freeBytes(): number {
    const used = [...this.directories.files.values()].reduce((sum, file) => sum + file.size, 0);
    return Math.max(0, this.capacityBytes - used);
  }

  /** For the views. */
  create(path: string): SimulatedFile {
    const file = new SimulatedFile();
    this.allFiles.add(file);
    this.directories.set(path, file);
    return file;
  }

  private takeFault({ operation, path }: DiskCall): DiskFault['code'] | undefined {
    const counting = this.faults.filter(
      ({ fault }) => (fault.operation ?? operation) === operation && path.includes(fault.in ?? ''),
    );
    counting.forEach((planned) => {
      planned.nth -= 1;
    });
    this.faults = this.faults.filter(({ nth }) => nth > 0);
    return counting.find(({ nth }) => nth === 0)?.fault.code;
  }
}

class AttachedDisk implements Disk {
  constructor(
    private readonly disk: SimulatedDisk,
    private readonly life: number,
  ) {}

  ensureDirectory(path: string): Promise<void> {
    return this.disk.perform(this.life, { operation: 'ensureDirectory', path }, (directories) => {
      directories.ensure(path);
    });
  }

  list(directory: string): Promise<readonly string[]> {
    return this.disk.perform(this.life, { operation: 'list', path: directory }, (directories) =>
      directories.names(directory, 'files'),
    );
  }

  listDirectories(directory: string): Promise<readonly string[]> {
    return this.disk.perform(this.life, { operation: 'listDirectories', path: directory }, (directories) =>
      directories.names(directory, 'directories'),
    );
  }

  read(path: string): Promise<Buffer | undefined> {
    return this.disk.perform(this.life, { operation: 'read', path }, (directories) => directories.file(path)?.content);
  }

  open(path: string): Promise<DiskFile> {
    const call: DiskCall = { operation: 'open', path };
    return this.disk.perform(this.life, call, (directories) => {
      if (!directories.has(dirname(path))) throw diskError('ENOENT', call);
      const file = directories.file(path) ?? this.disk.create(path);
      return new AttachedFile(this.disk, this.life, path, file);
    });
  }

  create(path: string): Promise<DiskFile> {
    const call: DiskCall = { operation: 'create', path };
    return this.disk.perform(this.life, call, (directories) => {
      if (!directories.has(dirname(path))) throw diskError('ENOENT', call);
      if (directories.file(path) || directories.has(path)) throw diskError('EEXIST', call);
      return new AttachedFile(this.disk, this.life, path, this.disk.create(path));
    });
  }

  openForReading(path: string): Promise<DiskReader | undefined> {
    return this.disk.perform(this.life, { operation: 'openForReading', path }, (directories) => {
      const file = directories.file(path);
      return file && new AttachedReader(this.disk, this.life, path, file);
    });
  }

  rename(from: string, to: string): Promise<void> {
    const call: DiskCall = { operation: 'rename', path: from };
    return this.disk.perform(this.life, call, (directories) => {
      const refusal = directories.rename(from, to);
      if (refusal) throw diskError(refusal, call);
    });
  }

  remove(path: string): Promise<void> {
    return this.disk.perform(this.life, { operation: 'remove', path }, (directories) => {
      if (directories.file(path)) directories.set(path, undefined);
    });
  }

  synchronizeDirectory(directory: string): Promise<void> {
    const call: DiskCall = { operation: 'synchronizeDirectory', path: directory };
    return this.disk.perform(this.life, call, (directories) => {
      if (!directories.has(directory)) throw diskError('ENOENT', call);
      directories.synchronize(directory);
    });
  }
}

class AttachedFile implements DiskFile {
  private isClosed = false;

  constructor(
    private readonly disk: SimulatedDisk,
    private readonly life: number,
    private readonly path: string,
    private readonly file: SimulatedFile,
  ) {}

  write(bytes: Uint8Array, offset: number): Promise<void> {
    const call = this.call('write');
    const writePart = (length: number): void => {
      this.file.write(bytes.subarray(0, length), offset);
    };
    return this.disk.perform(
      this.life,
      call,
      () => {
        this.assertOpen(call);
        const fitting = Math.max(0, this.file.size + this.disk.freeBytes() - offset);
        writePart(Math.min(bytes.length, fitting));
        if (fitting < bytes.length) throw diskError('ENOSPC', call);
      },
      (_, random) => {
        writePart(random.below(bytes.length + 1));
      },
    );
  }

  synchronize(): Promise<void> {
    const call = this.call('synchronize');
    return this.disk.perform(
      this.life,
      call,
      () => {
        this.assertOpen(call);
        this.file.synchronize();
      },
      (code, random) => {
        if (code !== 'killed') this.file.failSynchronize(random);
      },
    );
  }

  truncate(length: number): Promise<void> {
    const call = this.call('truncate');
    return this.disk.perform(this.life, call, () => {
      this.assertOpen(call);
      this.file.truncate(length);
    });
  }

  close(): Promise<void> {
    const call = this.call('close');
    return this.disk.perform(this.life, call, () => {
      this.assertOpen(call);
      this.isClosed = true;
    });
  }

  private call(operation: keyof DiskFile): DiskCall {
    return { operation, path: this.path };
  }

  private assertOpen(call: DiskCall): void {
    if (this.isClosed) throw diskError('EBADF', call);
  }
}

class AttachedReader implements DiskReader {
  constructor(
    private readonly disk: SimulatedDisk,
    private readonly life: number,
    private readonly path: string,
    private readonly file: SimulatedFile,
  ) {}

  size(): Promise<number> {
    return this.disk.perform(this.life, { operation: 'size', path: this.path }, () => this.file.size);
  }

  read(offset: number, length: number): Promise<Buffer> {
    return this.disk.perform(this.life, { operation: 'read', path: this.path }, () => this.file.part(offset, length));
  }

  close(): Promise<void> {
    return this.disk.perform(this.life, { operation: 'close', path: this.path }, () => undefined);
  }
}

function diskError(code: string, { operation, path }: DiskCall): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${String(operation)} ${path}`), { code });
}
