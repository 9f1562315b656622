import { join } from 'node:path';
import type { Adapter } from 'lowdb';
import { isDead, numbersInName, segmentsAmong } from '../journal/index.js';
import { type FileCodec, SnapshotFile, type SnapshotFilePorts } from './snapshot-file.js';

/** The name of the snapshots of documents. */
export const DOCUMENT_SNAPSHOTS = 'documents';

export interface SnapshotFilesOptions<T> {
  /** That of the journal. */
  readonly directory: string;
  /** The names begin with it. */
  readonly name: string;
  readonly codec: FileCodec<T>;
  /** The last record that the data includes. */
  readonly seqOf: (data: T) => number;
}

/**
 * An adapter for lowdb: snapshots beside a journal, each in a file of its own, named by its record and the incarnation that wrote
 * it. So a process that was stopped in the middle of one overwrites nothing when it continues. A snapshot with records that are dead
 * in the journal is dead too.
 */
export class SnapshotFiles<T extends object> implements Adapter<T> {
  /** Of this opening of the journal. Set it before the first write. */
  incarnation = 0;
  private current: { readonly name: string; readonly file: SnapshotFile<T> } | undefined;
  private readonly pattern: RegExp;

  constructor(
    private readonly ports: SnapshotFilePorts,
    private readonly options: SnapshotFilesOptions<T>,
  ) {
    this.pattern = new RegExp(`^${options.name}(?:-(\\d{16})-(\\d{6,}))?\\.json(\\.tmp)?$`);
  }

  /** Of the newest snapshot; undefined when there is none. */
  get path(): string | undefined {
    return this.current && join(this.options.directory, this.current.name);
  }

  /** The size of the newest snapshot in bytes; 0 when there is none. */
  get size(): number {
    return this.current?.file.size ?? 0;
  }

  /** The path for a snapshot up to record `seq` that this incarnation writes. */
  pathFor(seq: number): string {
    return join(this.options.directory, this.nameFor(seq));
  }

  /** Same as `SnapshotFile.read`, of the newest snapshot. */
  async read(): Promise<T | null> {
    const newest = await this.findNewest();
    if (newest === undefined) return null;
    this.current = { name: newest.name, file: this.fileNamed(newest.name) };
    return this.current.file.read();
  }

  /** Takes the newest snapshot for read. Resolves to its record, or to undefined when there is none. */
  async passOver(): Promise<Pick<Named, 'seq'> | undefined> {
    const newest = await this.findNewest();
    if (newest === undefined) return undefined;
    const file = this.fileNamed(newest.name);
    await file.passOver();
    this.current = { name: newest.name, file };
    return newest;
  }

  /** Undefined when there is none. `seq` is -1 when the name does not tell it. */
  async findNewest(): Promise<Pick<Named, 'name' | 'seq'> | undefined> {
    const names = await this.ports.disk.list(this.options.directory);
    const segments = segmentsAmong(names);
    const [newest] = names
      .map((name) => this.parsed(name))
      .filter((one) => one !== undefined && !one.isPart && !isDead(one.seq, one.incarnation, segments))
      .sort((a, b) => (b?.seq ?? 0) - (a?.seq ?? 0) || (b?.incarnation ?? 0) - (a?.incarnation ?? 0));
    return newest;
  }

  /** Same as `SnapshotFile.write`. The earlier ones stay until `removeOthers`. */
  async write(data: T): Promise<void> {
    const name = this.nameFor(this.options.seqOf(data));
    const file = this.current?.name === name ? this.current.file : this.fileNamed(name);
    await file.write(data);
    this.current = { name, file };
  }

  /** Removes all but the newest, and what is left of writes that were interrupted. */
  async removeOthers(): Promise<void> {
    const { disk } = this.ports;
    const { directory } = this.options;
    const names = await disk.list(directory);
    const others = names.filter((name) => this.pattern.test(name) && name !== this.current?.name);
    for (const name of others) await disk.remove(join(directory, name));
  }

  private nameFor(seq: number): string {
    return `${this.options.name}-${numbersInName(seq, this.incarnation)}.json`;
  }

  private fileNamed(name: string): SnapshotFile<T> {
    return new SnapshotFile(this.ports, join(this.options.directory, name), this.options.codec);
  }

  /** A name without numbers is that of an earlier version, which had only one file: any other is newer. */
  private parsed(name: string): Named | undefined {
    const match = this.pattern.exec(name);
    if (!match) return undefined;
    const [, seq, incarnation, part] = match;
    return { name, seq: Number(seq ?? -1), incarnation: Number(incarnation ?? 0), isPart: part !== undefined };
  }
}

interface Named {
  readonly name: string;
  readonly seq: number;
  readonly incarnation: number;
  /** Of an interrupted write. */
  readonly isPart: boolean;
}
