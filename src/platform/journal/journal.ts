import { AppError, type DiskFile, storageFull, type EncodedRecord, type ChainPosition } from '../../kernel/index.js';
import { type Batch, draftOf, draftsOf, formBatch, type HistoryEnd, type Waiting } from './batch.js';
import { beginSegment, vouchFor } from './begin-segment.js';
import { isDiskFull } from './disk-full.js';
import { EndWitness, type WitnessedEnd } from './end-witness.js';
import type { Appended, JournalOptions, JournalPorts, JournalSink } from './journal-ports.js';
import { JournalReserve } from './journal-reserve.js';
import { endIsMissing, type MissingEnd } from './missing-end.js';
import type { JournalRecord } from './record.js';
import { RecordReader } from './record-reader.js';
import { RetainedRecords } from './retained-records.js';
import { Ownership } from './ownership.js';
import { type ReadAhead, recoverJournal, removeCovered } from './recovery.js';
import { firstSeqOf } from './segment.js';
import { takeOver, type TakenOver } from './take-over.js';

/**
 * An append-only history with group commit: appends that arrive during a write and its fdatasync go together in the next (as in
 * PostgreSQL's commit group and etcd's WAL). A directory has one writer.
 *
 * Invariant: a record is applied and acknowledged only after it and all before it are durable, and the bytes below the durable
 * length never change again.
 */
export class Journal<Op, Result> {
  private queue: Waiting<Op, Result>[] = [];
  private rotations: { resolve: () => void; reject: (error: AppError) => void }[] = [];
  private running = false;
  private idle: (() => void)[] = [];
  private failure: AppError | undefined;
  private readonly reserve: JournalReserve;
  /** The next batch uses the space of the reserve, which must not be filled again before. */
  private spendsReserve = false;
  private epochNow: number;
  private readonly reader: RecordReader;
  /** The number of this opening of the journal, higher than that of all before. Part of the names of the files that it makes. */
  readonly incarnation: number;
  private readonly ownership: Ownership;
  private file: DiskFile;
  private segments: readonly string[];
  private durableLength: number;
  /** In segments of earlier incarnations since the last rotation. */
  private earlierBytes: number;
  private readonly retained = new RetainedRecords();

  private constructor(
    private readonly ports: JournalPorts,
    private readonly options: JournalOptions,
    private readonly sink: JournalSink<Op, Result>,
    own: TakenOver,
    private end: HistoryEnd,
    private witness: EndWitness | undefined,
    private lacking: MissingEnd | undefined,
  ) {
    this.epochNow = end.position.epoch;
    this.incarnation = own.incarnation;
    this.file = own.file;
    this.segments = own.segments;
    this.durableLength = own.bytes;
    this.earlierBytes = own.earlierBytes;
    this.ownership = new Ownership(ports.disk, options.directory, own.incarnation, ports.monotonicMs);
    witness?.guard(() => this.assertOwned());
    this.reader = new RecordReader(ports.disk, options.directory, () => ({
      segments: this.segments,
      durable: this.end.position,
      durableBytes: this.durableLength,
    }));
    this.reserve = new JournalReserve(ports, options.directory, options.reserveBytes);
  }

  /**
   * Recovers the directory, replays the records after `covered`, or after those of `ahead`, into the sink and opens for appending.
   * Records from `keptFrom` on remain readable even if `covered` includes them. Throws as `recoverJournal` does.
   */
  static async open<Op, Result>(
    ports: JournalPorts,
    options: JournalOptions,
    sink: JournalSink<Op, Result>,
    covered: ChainPosition,
    keptFrom = covered.seq + 1,
    ahead?: ReadAhead,
  ): Promise<Journal<Op, Result>> {
    await ports.disk.ensureDirectory(options.directory);
    const replay = (record: JournalRecord<Op>): Result => sink.apply(record);
    const { directory, whenEndIsMissing } = options;
    const found = await recoverJournal<Op>(ports, directory, covered, replay, { keptFrom, whenEndIsMissing, ahead });
    const { position, lastAt: at, missing } = found;
    const end = { ...position, segment: found.segments.at(-1) ?? '', bytes: found.last?.goodBytes ?? 0 };
    // Must precede a new segment, because its header says that there is a witness.
    const witness = missing ? undefined : await EndWitness.begin(ports, directory, end);
    const own = await takeOver(ports, directory, found, Math.min(covered.seq, keptFrom - 1), witness?.isKept ?? false);
    const journal = new Journal(ports, options, sink, own, { position, at }, witness, missing);
    if (!(await journal.reserve.fill())) ports.log.warn('there is no room for the journal reserve', { directory });
    if (missing) ports.log.warn('the journal has lost its end', { missing: missing.description });
    return journal;
  }

  /** The durable records that are missing; nothing can be appended until they have returned or are settled. */
  get missing(): MissingEnd | undefined {
    return this.lacking;
  }

  /** Accepts the existing records as the whole history; later starts detect losses from here. Durable when it resolves. */
  async settleEnd(): Promise<void> {
    this.witness ??= await EndWitness.begin(this.ports, this.options.directory, this.witnessedEnd);
    this.witness.guard(() => this.assertOwned());
    await this.witness.flush();
    this.lacking = undefined;
  }

  get position(): ChainPosition {
    return this.end.position;
  }

  /** About how many bytes a start reads that has a snapshot of the moment of the last rotation. */
  get bytesSinceRotation(): number {
    return this.earlierBytes + this.durableLength;
  }

  /** Stamps all later records with `epoch`, which must not be older than any before. */
  beginEpoch(epoch: number): void {
    if (epoch < this.epochNow) throw new Error(`epoch ${String(epoch)} is older than ${String(this.epochNow)}`);
    this.epochNow = epoch;
  }

  /**
   * Durable and applied when it resolves. Rejects with `storage-full` (nothing was written, safe to repeat) or `outcome-unknown`
   * (the disk failed; the process is stopping). `reserved` appends may use the reserve.
   */
  append(op: Op, reserved = false): Promise<Appended<Op, Result>> {
    return new Promise((resolve, reject) => {
      this.enqueue({
        reserved,
        draft: (end) => {
          if (this.lacking) throw endIsMissing(this.lacking);
          return draftOf(end, this.epochNow, this.ports.clock.nowMs(), op);
        },
        acknowledge: ([record], [result]) => {
          resolve({ record, result } as Appended<Op, Result>);
        },
        reject,
      });
    });
  }

  /**
   * Appends another copy's records byte for byte, under the same rules as `append`. Takes all or none: rejects with `conflict`,
   * writing nothing, unless each record follows its predecessor, the first follows what is in the journal or queued, and they
   * lead to the missing record, if any.
   */
  follow(records: readonly EncodedRecord[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.enqueue({
        reserved: false,
        draft: (end) => draftsOf(end, records, this.lacking?.expected),
        acknowledge: () => {
          resolve();
        },
        reject,
      });
    });
  }

  /** The oldest record that `readFrom` still has; one more than the last record when there is none. */
  get firstSeq(): number {
    return this.reader.firstSeq;
  }

  /**
   * The durable records from `seq` on, in order, at least one and as many as fit into `limitBytes`. Empty: `seq` is not durable
   * yet. 'gone': it was removed with its segment. Continuing a read is cheap. Throws `data-corrupt` for bytes that went bad.
   */
  readFrom(seq: number, limitBytes: number): Promise<readonly EncodedRecord[] | 'gone'> {
    return this.reader.readFrom(seq, limitBytes);
  }

  /**
   * The position of record `seq`, or of the one before `firstSeq`. Undefined: not there yet. 'gone': removed with its segment.
   */
  positionAt(seq: number): Promise<ChainPosition | 'gone' | undefined> {
    return this.reader.positionAt(seq);
  }

  /** Keeps the records from `seq` on until the returned function is called. */
  retainFrom(seq: number): () => void {
    return this.retained.add(seq);
  }

  /**
   * Starts a new segment at the current position. Resolves when it is durable, so that everything before can be removed once
   * a snapshot covers it; rejects with `storage-full`, and the old segment continues.
   */
  rotate(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.failure) {
        reject(this.failure);
        return;
      }
      this.rotations.push({ resolve, reject });
      this.start();
    });
  }

  /**
   * Rejects with `superseded` when a later incarnation has begun. To call before anything that a successor may rely on is removed,
   * and after what replaces it is durable.
   */
  assertCurrent(): Promise<void> {
    return this.ownership.look(this.ownSegment);
  }

  /** Removes the segments that end at or before `seq` unless a reader retains them. Rejects as `assertCurrent` does. */
  async removeThrough(seq: number): Promise<void> {
    await this.assertCurrent();
    const before = this.segments;
    const kept = await removeCovered(this.ports, this.options.directory, before, this.retained.removable(seq));
    const removed = before.filter((name) => !kept.includes(name));
    // A rotation may have added one meanwhile.
    this.segments = this.segments.filter((name) => !removed.includes(name));
    for (const name of removed) this.reader.forget(name);
  }

  /** Writes the queued records, marks them as durable, and closes. No append may follow. */
  async close(): Promise<void> {
    while (this.running) await new Promise<void>((resolve) => this.idle.push(resolve));
    const isWhole = this.failure === undefined;
    this.failure ??= new AppError('shutting-down', 'the journal is closed', { retry: 'safe' });
    try {
      if (isWhole) await vouchFor(this.file, this.durableLength);
      await this.witness?.close(isWhole);
    } finally {
      await this.file.close();
    }
  }

  /** Same as `Ownership.assertKept`. */
  private assertOwned(): Promise<void> {
    return this.ownership.assertKept(this.ownSegment);
  }

  private get ownSegment(): string {
    return this.segments.at(-1) ?? '';
  }

  private enqueue(waiting: Waiting<Op, Result>): void {
    if (this.failure) {
      waiting.reject(this.failure);
      return;
    }
    this.queue.push(waiting);
    this.start();
  }

  private start(): void {
    if (this.running) return;
    this.running = true;
    this.ports.nextTurn(() => void this.drain());
  }

  private async drain(): Promise<void> {
    try {
      while (this.failure === undefined && (this.queue.length > 0 || this.rotations.length > 0)) {
        if (this.rotations.length > 0) await this.rotateNow();
        else await this.writeBatch();
      }
    } catch (error) {
      this.fail([], error);
    }
    this.running = false;
    for (const resolve of this.idle.splice(0)) resolve();
  }

  private async writeBatch(): Promise<void> {
    const { crashSites } = this.ports;
    const hasRoom = !this.spendsReserve && (await this.reserve.fill());
    this.spendsReserve = false;
    if (!hasRoom) this.refuse(({ reserved }) => !reserved, new Error('only the journal reserve is left'));
    if (this.queue.length === 0) return;
    const batch = formBatch(this.queue.splice(0), this.end, this.durableLength);
    if (batch.encoded.length === 0) {
      this.acknowledge(batch);
      return;
    }
    const waiting = batch.entries.map((entry) => entry.waiting);
    try {
      await this.assertOwned();
      crashSites.reach('journal.write.before');
      await this.file.write(batch.bytes, this.durableLength);
      crashSites.reach('journal.write.after');
    } catch (error) {
      if (isDiskFull(error)) await this.giveUp(waiting, error);
      else this.fail(waiting, error);
      return;
    }
    try {
      await this.file.synchronize();
      crashSites.reach('journal.synchronize.after');
      // A successor that began before the write may have overlooked it.
      await this.assertOwned();
      const offset = this.durableLength;
      this.durableLength += batch.bytes.length;
      this.reader.note(this.ownSegment, this.end.position.seq + 1, offset);
      this.end = batch.end;
      if (this.hasComeBack) await this.settleEnd();
      this.acknowledge(batch);
      if (this.lacking === undefined) this.witness?.note(this.witnessedEnd);
    } catch (error) {
      this.fail(waiting, error);
    }
  }

  private acknowledge({ entries, encoded }: Batch<Op, Result>): void {
    const results = entries.map(({ records }) => records.map((record) => this.sink.apply(record)));
    if (encoded.length > 0) this.sink.durable?.(encoded);
    entries.forEach(({ waiting, records }, index) => {
      waiting.acknowledge(records, results[index] ?? []);
    });
  }

  private get hasComeBack(): boolean {
    const { found, expected } = this.lacking ?? {};
    return (
      found !== undefined && expected !== undefined && found.seq < expected.seq && this.position.seq >= expected.seq
    );
  }

  private get witnessedEnd(): WitnessedEnd {
    return { ...this.end.position, segment: this.ownSegment, bytes: this.durableLength };
  }

  private async rotateNow(): Promise<void> {
    const waiting = this.rotations.splice(0);
    try {
      if (firstSeqOf(this.ownSegment) !== this.end.position.seq + 1) await this.beginNextSegment();
      this.earlierBytes = 0;
    } catch (error) {
      if (!isDiskFull(error)) this.fail([], error);
      const refusal = this.failure ?? storageFull(error);
      waiting.forEach(({ reject }) => {
        reject(refusal);
      });
      return;
    }
    waiting.forEach(({ resolve }) => {
      resolve();
    });
  }

  private async beginNextSegment(): Promise<void> {
    await this.assertOwned();
    const { position: after, at } = this.end;
    const start = { after, at, incarnation: this.incarnation, isWitnessed: this.witness?.isKept ?? false };
    const { name, file, bytes } = await beginSegment(this.ports, this.options.directory, start);
    const previous = this.file;
    this.file = file;
    this.segments = [...this.segments, name];
    this.durableLength = bytes;
    await previous.close();
  }

  /**
   * On a full disk, removes the torn write, refuses ordinary appends and keeps those that may use the reserve. The truncation is
   * durable before any refusal, because a crash could bring the refused records back.
   */
  private async giveUp(batch: readonly Waiting<Op, Result>[], cause: unknown): Promise<void> {
    try {
      await this.ownership.look(this.ownSegment);
      await this.file.truncate(this.durableLength);
      await this.file.synchronize();
      this.queue = [...batch, ...this.queue];
      this.refuse(({ reserved }) => !reserved || !this.reserve.canBeReleased, cause);
      if (this.queue.length === 0) return;
      await this.reserve.release();
      this.spendsReserve = true;
    } catch (error) {
      this.fail(batch, error);
    }
  }

  private refuse(isRefused: (entry: Waiting<Op, Result>) => boolean, cause: unknown): void {
    const refused = this.queue.filter(isRefused);
    if (refused.length === 0) return;
    this.queue = this.queue.filter((entry) => !isRefused(entry));
    this.sink.rollBack();
    const refusal = storageFull(cause);
    refused.forEach(({ reject }) => {
      reject(refusal);
    });
  }

  /** The state of the disk is unknown, so nothing may be acknowledged again. */
  private fail(batch: readonly Waiting<Op, Result>[], cause: unknown): void {
    this.failure = new AppError('outcome-unknown', 'the journal could not be written', { retry: 'unknown', cause });
    this.ports.process.stop(`writing the journal in ${this.options.directory} failed`, cause);
    const { failure } = this;
    [...batch, ...this.queue.splice(0), ...this.rotations.splice(0)].forEach(({ reject }) => {
      reject(failure);
    });
  }
}
