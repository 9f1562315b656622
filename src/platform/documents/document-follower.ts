import { join } from 'node:path';
import {
  AppError,
  storageFull,
  type EncodedRecord,
  type ChainPosition,
  type CapturedState,
  type CopyableHistory,
  type OpenSnapshot,
} from '../../kernel/index.js';
import { forgetEnd, isDiskFull, type JournalPorts, type MissingEnd } from '../journal/index.js';
import { DocumentHistory, type DocumentHistoryOptions, SNAPSHOT_FILE } from './document-history.js';
import type { DocumentMachine } from './document-machine.js';
import { DocumentReads } from './document-reads.js';
import { IncomingSnapshot } from './incoming-snapshot.js';
import { PromiseFile } from './promise-file.js';
import { RecordListeners } from './record-listeners.js';

const DOCUMENTS = 'documents';
const INCOMING = 'incoming';
const PROMISE_FILE = 'promise.json';

/**
 * The copy that a replica keeps under its directory: `documents/` as a primary has it, `promise.json`, `incoming/` for
 * a snapshot on its way, and `quarantined-<time>/` for each history that was set aside. It decides nothing: what it
 * promises, whose records it may take, and when to give up what it holds, is for the protocol to say.
 *
 * Invariant: after a crash at any moment each of its steps has happened or has not, and records that were acknowledged are in `documents/` or, set aside, in a directory that nothing here ever deletes.
 *
 * What changes it is done one after the other, in the order of the calls. Reads go on meanwhile. A disk that fails ends
 * the process; what was under way then rejects with `outcome-unknown`.
 */
export class DocumentFollower<Promised extends object> extends DocumentReads implements CopyableHistory {
  private lastChange: Promise<unknown> = Promise.resolve();
  private failure: AppError | undefined;

  private constructor(
    private readonly ports: JournalPorts,
    private readonly options: DocumentHistoryOptions,
    private readonly promiseFile: PromiseFile<Promised>,
    private kept: Promised | undefined,
    private readonly incoming: IncomingSnapshot,
    private readonly listeners: RecordListeners,
    private history: DocumentHistory,
  ) {
    super();
  }

  /**
   * `options.directory` is the replica's own. Makes what is missing, recovers, and throws away what was not received
   * whole. Throws `data-corrupt`, naming file and offset.
   */
  static async open<Promised extends object>(
    ports: JournalPorts,
    options: DocumentHistoryOptions,
  ): Promise<DocumentFollower<Promised>> {
    const { directory, collections } = options;
    await ports.disk.ensureDirectory(directory);
    // What a killed predecessor has renamed is durable before anyone is told of it.
    await ports.disk.synchronizeDirectory(directory);
    const promiseFile = new PromiseFile<Promised>(ports, join(directory, PROMISE_FILE));
    const promise = await promiseFile.read();
    const incoming = new IncomingSnapshot(ports, join(directory, INCOMING), collections);
    await incoming.discard();
    const listeners = new RecordListeners();
    const history = await openHistory(ports, options, listeners);
    return new DocumentFollower(ports, options, promiseFile, promise, incoming, listeners, history);
  }

  get position(): ChainPosition {
    return this.history.position;
  }

  get clusterId(): string | undefined {
    return this.history.clusterId;
  }

  get firstSeq(): number {
    return this.history.firstSeq;
  }

  /** As `Journal.missing`. */
  get missing(): MissingEnd | undefined {
    return this.history.missing;
  }

  /** As `Journal.settleEnd`. */
  settleEnd(): Promise<void> {
    return this.inTurn(() => this.history.settleEnd());
  }

  /** What was kept last; undefined before the first time. */
  get promise(): Promised | undefined {
    return this.kept;
  }

  readFrom(seq: number, limitBytes: number): Promise<readonly EncodedRecord[] | 'gone'> {
    return this.history.readFrom(seq, limitBytes);
  }

  positionAt(seq: number): Promise<ChainPosition | 'gone' | undefined> {
    return this.history.positionAt(seq);
  }

  openSnapshot(): Promise<OpenSnapshot | undefined> {
    return this.history.openSnapshot();
  }

  captureState(): CapturedState {
    return this.history.captureState();
  }

  /** As `RecordListeners.add`. What comes with a snapshot is not told. */
  onDurable(listener: (records: readonly EncodedRecord[]) => void): () => void {
    return this.listeners.add(listener);
  }

  /** Durable when it resolves; it outlives everything else here. Rejects with `storage-full`: the old promise stands. */
  keepPromise(promise: Promised): Promise<void> {
    return this.inTurn(async () => {
      try {
        await this.promiseFile.write(promise);
      } catch (error) {
        if (isDiskFull(error)) throw storageFull(error);
        throw this.fail('keeping a promise', error);
      }
      this.kept = promise;
    });
  }

  /** As `Journal.follow`. */
  follow(records: readonly EncodedRecord[]): Promise<void> {
    return this.inTurn(() => this.history.follow(records));
  }

  /** As `IncomingSnapshot.receive`: beside everything else, and nothing is changed by it until `install`. */
  receiveSnapshot(chunks: AsyncIterable<Uint8Array>): Promise<ChainPosition> {
    return this.incoming.receive(chunks);
  }

  /**
   * Puts the snapshot that was received in the place of everything that is held, durable when it resolves, with its
   * position. Rejects with `conflict`, nothing changed, when none was received or it is not ahead.
   */
  install(): Promise<ChainPosition> {
    return this.inTurn(async () => {
      const { position, incoming } = this;
      const { received } = incoming;
      if (received === undefined || received.seq <= position.seq || received.epoch < position.epoch) {
        throw new AppError('conflict', `no snapshot was received that is ahead of record ${String(position.seq)}`, {
          retry: 'never',
        });
      }
      await this.replaceHistory(() => incoming.moveTo(join(this.options.directory, DOCUMENTS, SNAPSHOT_FILE)));
      return this.position;
    });
  }

  /**
   * Keeps everything that is held under a new name and begins empty, durable when it resolves, with that name; undefined
   * when nothing is held.
   */
  quarantine(): Promise<string | undefined> {
    return this.inTurn(async () => {
      if (this.position.seq === 0) return undefined;
      const { directory } = this.options;
      const name = await this.freeName();
      await this.replaceHistory(() => this.moveAway(join(directory, DOCUMENTS), join(directory, name)));
      this.ports.log.warn('set the documents aside and began empty', { directory, name });
      return name;
    });
  }

  /** Ends what was begun, writes out what is queued, closes. Nothing may follow. */
  close(): Promise<void> {
    return this.inTurn(() => this.history.close());
  }

  protected get machine(): DocumentMachine {
    return this.history.machine;
  }

  private inTurn<T>(task: () => Promise<T>): Promise<T> {
    const run = this.lastChange.then(() => {
      if (this.failure) throw this.failure;
      return task();
    });
    this.lastChange = run.catch(() => undefined);
    return run;
  }

  /** Who reads meanwhile finds the old state, then the new one. */
  private async replaceHistory(change: () => Promise<void>): Promise<void> {
    try {
      await this.history.close(false);
      await change();
      this.history = await openHistory(this.ports, this.options, this.listeners);
    } catch (error) {
      throw this.fail('replacing the documents', error);
    }
  }

  private async moveAway(from: string, to: string): Promise<void> {
    const { disk, crashSites } = this.ports;
    // Before the data goes: what begins in its place ends earlier.
    await forgetEnd(this.ports, from);
    crashSites.reach('set-aside.rename.before');
    await disk.rename(from, to);
    crashSites.reach('set-aside.rename.after');
    await disk.synchronizeDirectory(this.options.directory);
    crashSites.reach('set-aside.directory.after');
  }

  private async freeName(): Promise<string> {
    const taken = await this.ports.disk.listDirectories(this.options.directory);
    const name = `quarantined-${new Date(this.ports.clock.nowMs()).toISOString().replaceAll(':', '-')}`;
    let free = name;
    for (let count = 2; taken.includes(free); count += 1) free = `${name}-${String(count)}`;
    return free;
  }

  /** What is on the disk can no longer be known: the next start finds out. */
  private fail(what: string, cause: unknown): AppError {
    this.failure = new AppError('outcome-unknown', `${what} failed`, { retry: 'unknown', cause });
    this.ports.process.stop(`${what} in ${this.options.directory} failed`, cause);
    return this.failure;
  }
}

function openHistory(
  ports: JournalPorts,
  options: DocumentHistoryOptions,
  listeners: RecordListeners,
): Promise<DocumentHistory> {
  const own = { ...options, directory: join(options.directory, DOCUMENTS), whenEndIsMissing: 'report' } as const;
  return DocumentHistory.open(ports, own, () => ({
    durable: (records) => {
      listeners.notify(records);
    },
  }));
}
