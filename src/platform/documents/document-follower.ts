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
import { DocumentHistory, type DocumentHistoryOptions } from './document-history.js';
import type { DocumentMachine } from './document-machine.js';
import { DocumentReads } from './document-reads.js';
import { IncomingSnapshot } from './incoming-snapshot.js';
import { PromiseFile } from './promise-file.js';
import { RecordListeners } from './record-listeners.js';

const DOCUMENTS = 'documents';
const INCOMING = 'incoming';
const PROMISE_FILE = 'promise.json';

/**
 * A replica's copy: `documents/` as on a primary, `promise.json`, `incoming/` for a snapshot in transfer, and
 * `quarantined-<time>/` for each history in quarantine. The protocol decides what to promise, whose records to take and when to
 * give up data.
 *
 * Invariant: each step is atomic across crashes, and acknowledged records are in `documents/` or in quarantine, which nothing
 * here ever deletes.
 *
 * Changes run one at a time in call order while reads continue. A disk failure stops the process, and pending calls reject with
 * `outcome-unknown`.
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

  /** Creates missing directories, recovers, and discards an incomplete snapshot. Throws `data-corrupt` naming file and offset. */
  static async open<Promised extends object>(
    ports: JournalPorts,
    options: DocumentHistoryOptions,
  ): Promise<DocumentFollower<Promised>> {
    const { directory, collections } = options;
    await ports.disk.ensureDirectory(directory);
    // Makes renames of a killed predecessor durable before anything depends on them.
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

  get missing(): MissingEnd | undefined {
    return this.history.missing;
  }

  /** Same as `Journal.settleEnd`. */
  settleEnd(): Promise<void> {
    return this.inTurn(() => this.history.settleEnd());
  }

  /** The last promise kept; undefined before the first. */
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

  /** Same as `RecordListeners.add`. Listeners are not notified of records that a snapshot brings. */
  onDurable(listener: (records: readonly EncodedRecord[]) => void): () => void {
    return this.listeners.add(listener);
  }

  /** Durable when it resolves; survives `install` and `quarantine`. On `storage-full` the old promise remains. */
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

  /** Same as `Journal.follow`. */
  follow(records: readonly EncodedRecord[]): Promise<void> {
    return this.inTurn(() => this.history.follow(records));
  }

  /** Same as `IncomingSnapshot.receive`. It runs beside other changes, and the documents change only with `install`. */
  receiveSnapshot(chunks: AsyncIterable<Uint8Array>): Promise<ChainPosition> {
    return this.incoming.receive(chunks);
  }

  /** Replaces all documents with the received snapshot, durable when it resolves; `conflict` when there is none that is ahead. */
  install(): Promise<ChainPosition> {
    return this.inTurn(async () => {
      const { position, incoming, history } = this;
      const { received } = incoming;
      if (received === undefined || received.seq <= position.seq || received.epoch < position.epoch) {
        throw new AppError('conflict', `no received snapshot is ahead of record ${String(position.seq)}`, {
          retry: 'never',
        });
      }
      await this.replaceHistory(() => incoming.moveTo(history.pathOfSnapshot(received.seq)));
      return this.position;
    });
  }

  /** Moves all data into quarantine, durable when it resolves with the quarantine's name; undefined when there was no data. */
  quarantine(): Promise<string | undefined> {
    return this.inTurn(async () => {
      if (this.position.seq === 0) return undefined;
      const { directory } = this.options;
      const name = await this.freeName();
      await this.replaceHistory(() => this.moveAway(join(directory, DOCUMENTS), join(directory, name)));
      this.ports.log.warn('quarantined the documents and began empty', { directory, name });
      return name;
    });
  }

  /** Finishes pending changes and closes. No call may follow. */
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

  /** Concurrent reads see the old state, then the new one. */
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
    // Must precede the rename, because the new history ends earlier.
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

  /** The state of the disk is unknown until the next start recovers it. */
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
