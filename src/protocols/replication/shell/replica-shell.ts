import { AppError, type ChainPosition, type Log, type Timers } from '../../../kernel/index.js';
import { decideReplica, reportOf } from '../core/replica.js';
import type {
  InstallMessage,
  PrimaryIdentity,
  PromiseMessage,
  ReplicaAnswer,
  ReplicaMessage,
  ReplicaReport,
} from '../messages.js';
import { CommitWaits } from './commit-waits.js';
import { type ReplicaStore, stateOf } from './replica-store.js';
import { StateHashes } from './state-hashes.js';
import type { ShippedAppend, StateHashAt } from './wire.js';

export interface ReplicaPorts {
  readonly store: ReplicaStore;
  readonly timers: Timers;
  readonly log: Log;
}

/** The primary that ships to this replica, as its messages describe it. */
export interface FollowedPrimary extends PrimaryIdentity {
  /** `http://host:port`. */
  readonly url: string;
}

export interface ReplicaCounts {
  readonly appendedRecords: number;
  readonly installedSnapshots: number;
  readonly quarantines: number;
  /** Records that were durable at the primary when it sent the last append, but were missing here after that append. */
  readonly lag: number;
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

/** Invariant: all effects of a message are durable before the shell answers it and before the core sees the next message. */
export class ReplicaShell {
  private last: Promise<unknown> = Promise.resolve();
  private isReceiving = false;
  private primary: FollowedPrimary | undefined;
  private readonly waits: CommitWaits;
  private readonly hashes = new StateHashes();
  private readonly counted: Mutable<ReplicaCounts> = {
    appendedRecords: 0,
    installedSnapshots: 0,
    quarantines: 0,
    lag: 0,
  };

  /** Calls `onHeard` for every append of a primary that this replica follows. */
  constructor(
    private readonly ports: ReplicaPorts,
    private readonly onHeard: (primary: FollowedPrimary) => void = () => undefined,
  ) {
    this.waits = new CommitWaits(ports.timers, () => ports.store.position);
  }

  get counts(): ReplicaCounts {
    return this.counted;
  }

  /** Undefined until the first append since the start. */
  get followed(): FollowedPrimary | undefined {
    return this.primary;
  }

  report(): ReplicaReport {
    return reportOf(stateOf(this.ports.store));
  }

  append({ primaryUrl, audit, ...message }: ShippedAppend): Promise<ReplicaAnswer> {
    const end = message.records.at(-1) ?? message.after;
    return this.inTurn(async () => {
      const answer = await this.handle({ kind: 'append', ...message });
      if (answer.verdict === 'stale-epoch' || answer.verdict === 'foreign-cluster') return answer;
      this.hear({ ...message.from, url: primaryUrl });
      const { position } = this.ports.store;
      this.counted.lag = Math.max(0, message.durableSeq - position.seq);
      if (audit && position.hash === end.hash) this.hashes.keep(this.ports.store.captureState());
      return answer;
    });
  }

  quarantine(from: PrimaryIdentity): Promise<ReplicaAnswer> {
    return this.inTurn(() => this.handle({ kind: 'set-aside', from }));
  }

  promise(from: PromiseMessage['from']): Promise<ReplicaAnswer> {
    return this.inTurn(() => this.handle({ kind: 'promise', from }));
  }

  /**
   * Handles other messages while the snapshot arrives. The core decides whether the replica wants the snapshot before its first
   * byte, and again when it is complete. Rejects with `not-ready` while another snapshot arrives.
   */
  async install(message: Omit<InstallMessage, 'kind'>, chunks: AsyncIterable<Buffer>): Promise<ReplicaAnswer> {
    const { store, log } = this.ports;
    const { from, position } = message;
    const decided = await this.inTurn(async () => decideReplica(stateOf(store), { kind: 'install', from, position }));
    const answer = decided.effects.find((effect) => effect.kind === 'answer');
    if (answer && !decided.effects.some(({ kind }) => kind === 'install')) return this.setOff(message, answer.answer);
    if (this.isReceiving) throw notReady('another snapshot is arriving');
    this.isReceiving = true;
    try {
      log.info('receiving a snapshot', { seq: position.seq });
      assertSnapshotOf(position, await store.receiveSnapshot(chunks));
      return await this.inTurn(() => this.handle({ kind: 'install', from, position }));
    } finally {
      this.isReceiving = false;
    }
  }

  /** The hash kept after record `seq`, or the current one. Resolves when it is computed; undefined when none was kept. */
  async stateHash(seq: number | undefined): Promise<StateHashAt | undefined> {
    if (seq !== undefined) return this.hashes.find(seq);
    const captured = await this.inTurn(async () => this.ports.store.captureState());
    return { position: captured.position, stateHash: await captured.stateHash() };
  }

  /** True as soon as this replica holds the write; false when it does not hold the write within `timeoutMs`. */
  whenAt(commit: { readonly epoch: number; readonly seq: number }, timeoutMs: number): Promise<boolean> {
    return this.waits.wait(commit, timeoutMs);
  }

  /** Resolves when every message begun so far is done. */
  async idle(): Promise<void> {
    await this.last.catch(() => undefined);
  }

  /** Keeps the promise to the sender of a snapshot that the replica does not want. */
  private setOff(message: Omit<InstallMessage, 'kind'>, answer: ReplicaAnswer): Promise<ReplicaAnswer> {
    if (answer.verdict !== 'accepted') return Promise.resolve(answer);
    return this.inTurn(() => this.handle({ kind: 'install', ...message }));
  }

  private inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.last.then(task, task);
    this.last = result;
    return result;
  }

  private async handle(message: ReplicaMessage): Promise<ReplicaAnswer> {
    const { store, log } = this.ports;
    for (const effect of decideReplica(stateOf(store), message).effects) {
      switch (effect.kind) {
        case 'keep-promise':
          await store.keepPromise(effect.promise);
          break;
        case 'append':
          await store.follow(effect.records);
          this.counted.appendedRecords += effect.records.length;
          this.waits.wake();
          break;
        case 'install':
          await store.install();
          this.counted.installedSnapshots += 1;
          this.waits.wake();
          log.info('installed a snapshot', { seq: effect.position.seq });
          break;
        case 'set-aside':
          log.warn('quarantining all data: its history differs from the history of the primary', { ...store.position });
          await store.quarantine();
          this.counted.quarantines += 1;
          this.hashes.forget();
          break;
        case 'answer':
          return { ...effect.answer, report: this.report() };
      }
    }
    throw new Error(`the core did not answer ${message.kind}`);
  }

  private hear(primary: FollowedPrimary): void {
    this.primary = primary;
    this.onHeard(primary);
  }
}

function assertSnapshotOf(position: ChainPosition, received: ChainPosition): void {
  if (received.seq === position.seq && received.hash === position.hash) return;
  const message = `the snapshot is of record ${String(received.seq)} instead of record ${String(position.seq)}`;
  throw new AppError('data-corrupt', message, { retry: 'safe' });
}

function notReady(detail: string): AppError {
  return new AppError('not-ready', detail, { retry: 'safe' });
}
