import {
  AppError,
  type Log,
  type LogPosition,
  type ProcessControl,
  type Random,
  type Timers,
  type ChainPosition,
} from '../../../kernel/index.js';
import { admits } from '../core/confirmation.js';
import {
  beginPrimary,
  decidePrimary,
  type PrimaryDecision,
  type PrimaryEffect,
  type PrimaryInput,
  type PrimaryState,
} from '../core/primary.js';
import type { ReplicaView } from '../core/replica-view.js';
import type { PrimaryIdentity, ReplicaAnswer } from '../messages.js';
import type { ReplicaLink } from './replica-link.js';
import { CommitWaits } from './commit-waits.js';
import { Confirmations, type WriteConcern } from './confirmations.js';
import { openHistory } from './handshake-shell.js';
import type { PrimaryStore } from './primary-store.js';
import { Shipping } from './shipping.js';
import { StateAudit } from './state-audit.js';

export interface ReplicationPorts {
  readonly store: PrimaryStore;
  readonly links: readonly ReplicaLink[];
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
  readonly process: ProcessControl;
}

export interface ReplicationOptions {
  readonly writeConcern: WriteConcern;
  readonly minInSync: number;
  readonly replicaTimeoutMs: number;
  readonly writeDeadlineMs: number;
  readonly readWaitMs: number;
  readonly pingMs: number;
  /** 0 means never. */
  readonly auditEveryMs: number;
  /** Most characters of records in one message, or one record if that is longer; three times as many bytes must fit. */
  readonly batchBytes: number;
  /** The address to which replicas forward writes. Known once the primary listens. */
  readonly primaryUrl: () => string;
  /** The cluster of a history that has none yet; random when undefined. */
  readonly newClusterId?: string | undefined;
}

export interface ReplicationStatus {
  /** The position of the last durable record. */
  readonly position: ChainPosition;
  readonly state: PrimaryState | undefined;
  /** Why writes under `all` and `majority` are refused; undefined when they are admitted. */
  readonly waiting: string | undefined;
  readonly writeConcern: WriteConcern;
  readonly minInSync: number;
  /** By replica: why it did not answer before the epoch began. */
  readonly handshakeErrors: Readonly<Record<string, string>>;
  readonly names: readonly string[];
}

const PRIMARY_ID_BYTES = 16;
/** How long a replica may take to compute and show its state hash. */
const AUDIT_WITHIN_MS = 30_000;
/** The first audit is early, because a primary does not know what its predecessor still had to compare. */
const FIRST_AUDIT_AFTER_MS = 10_000;

/**
 * The primary of a replicated history. It ships durable records to every replica, knows which replicas are in sync, and says when
 * a write is confirmed. core/primary.ts decides; this class carries the decisions out.
 */
export class ReplicationPrimary {
  private state: PrimaryState | undefined;
  private waiting = 'the replicas have not been asked yet';
  private handshakeErrors: Readonly<Record<string, string>> = {};
  private isClosed = false;
  /** Called when client writes are admitted. */
  private admitting: () => void = () => undefined;
  private readonly confirmations: Confirmations;
  private readonly waits: CommitWaits;
  private readonly shipping: Shipping;
  private readonly audit: StateAudit;

  constructor(
    private readonly ports: ReplicationPorts,
    private readonly options: ReplicationOptions,
  ) {
    this.confirmations = new Confirmations(ports.timers, options.writeDeadlineMs);
    this.waits = new CommitWaits(ports.timers, () => ports.store.history.position);
    this.shipping = new Shipping(ports.store.history, options);
    this.audit = new StateAudit(ports.store.history, ports.timers, AUDIT_WITHIN_MS);
  }

  /**
   * Asks the replicas for their positions, fetches missing records and begins an epoch. Resolves when the first record of the
   * epoch is durable here; no write is admitted before. Rejects with `recovery-needed` when beginning would lose records.
   */
  async open(): Promise<void> {
    const { store, random, log } = this.ports;
    const { minInSync, replicaTimeoutMs, pingMs } = this.options;
    const primaryId = Buffer.from(random.bytes(PRIMARY_ID_BYTES)).toString('hex');
    const handshake = { primaryId, minInSync, replicaTimeoutMs, askEveryMs: pingMs };
    const assertGoing = (): void => {
      this.assertGoing();
    };
    const epoch = await openHistory(this.ports, handshake, assertGoing, (waiting, errors) => {
      if (waiting !== this.waiting) log.info('waiting for replicas', { waiting });
      this.waiting = waiting;
      this.handshakeErrors = errors;
    });
    store.onDurable((records) => {
      if (this.ports.links.length > 0) this.shipping.remember(records);
      const last = records.at(-1);
      if (last) this.handle({ kind: 'durable', seq: last.seq });
      this.waits.wake();
    });
    assertGoing();
    const { newClusterId } = this.options;
    const epochStart = await store.startEpoch({
      ...{ epoch, primaryId },
      ...(newClusterId !== undefined && { clusterId: newClusterId }),
    });
    const { clusterId } = store.history;
    if (clusterId === undefined) throw new Error('an epoch began without a cluster');
    const identity: PrimaryIdentity = { clusterId, epoch, primaryId };
    const replicas = this.ports.links.map(({ name }) => name);
    this.carryOut(beginPrimary({ identity, replicas, minInSync, epochStart }));
    if (replicas.length > 0) this.keepAsking();
    const { auditEveryMs } = this.options;
    if (replicas.length > 0 && auditEveryMs > 0) this.keepAuditing(Math.min(auditEveryMs, FIRST_AUDIT_AFTER_MS));
  }

  get status(): ReplicationStatus {
    const { writeConcern, minInSync } = this.options;
    const { store, links } = this.ports;
    return {
      position: store.history.position,
      state: this.state,
      waiting: this.obstacle(),
      handshakeErrors: this.handshakeErrors,
      writeConcern,
      minInSync,
      names: links.map(({ name }) => name),
    };
  }

  /** Throws `not-ready` or `too-few-replicas` before anything is written. */
  admit(concern: WriteConcern = this.options.writeConcern): void {
    if (this.state !== undefined && (concern === 'primary' || admits(this.state))) return;
    const code = this.state === undefined ? 'not-ready' : 'too-few-replicas';
    throw new AppError(code, `${this.obstacle() ?? 'the primary is not ready'}; nothing was written`, {
      retry: 'safe',
      retryAfterSeconds: 1,
    });
  }

  /**
   * Resolves once enough replicas are in sync for writes of clients; at the latest after the write deadline.
   * Rejects with `shutting-down` when it is closed. Called once.
   */
  async whenAdmitting(): Promise<void> {
    this.assertGoing();
    if (this.state !== undefined && admits(this.state)) return;
    await new Promise<void>((resolve) => {
      const cancel = this.ports.timers.after(this.options.writeDeadlineMs, resolve);
      this.admitting = () => {
        cancel();
        resolve();
      };
    });
    this.assertGoing();
  }

  /**
   * Resolves with the number of replicas that hold the write, once its concern is met or its deadline has passed. The deadline is
   * `withinMs`, rounded down to fiftieths of the write deadline, or the write deadline itself. Under `primary` it does not wait.
   */
  async confirm(
    seq: number,
    concern: WriteConcern = this.options.writeConcern,
    withinMs?: number,
  ): Promise<{ readonly isConfirmed: boolean; readonly acked: number; readonly replicas: number }> {
    const isConfirmed = concern === 'primary' || (await this.whenConfirmed(seq, concern, withinMs));
    const replicas = this.state?.replicas ?? [];
    return { isConfirmed, acked: replicas.filter((view) => holds(view, seq)).length, replicas: replicas.length };
  }

  /** Whether the write is confirmed now under this primary's own write concern. */
  isConfirmed(seq: number): boolean {
    const { writeConcern } = this.options;
    if (writeConcern === 'primary' || this.ports.links.length === 0) return true;
    return (this.state?.confirmed[writeConcern] ?? 0) >= seq;
  }

  /** True as soon as this process reaches the log position; false when that takes longer than reads wait. */
  whenAt(commit: LogPosition): Promise<boolean> {
    return this.waits.wait(commit, this.options.readWaitMs);
  }

  /** SHA-256 of this process's state, with the log position of that state. */
  async stateHash(): Promise<{ readonly position: ChainPosition; readonly stateHash: string }> {
    const captured = this.ports.store.history.captureState();
    return { position: captured.position, stateHash: await captured.stateHash() };
  }

  close(): void {
    this.isClosed = true;
    this.admitting();
    for (const link of this.ports.links) link.close();
  }

  private assertGoing(): void {
    if (this.isClosed) throw new AppError('shutting-down', 'stopped before it was open', { retry: 'safe' });
  }

  private obstacle(): string | undefined {
    if (this.state === undefined) return this.waiting;
    if (admits(this.state)) return undefined;
    const inSync = this.state.replicas.filter(isInSync).length;
    return `${String(inSync)} in-sync replicas, and ${String(this.state.minInSync)} are needed`;
  }

  private whenConfirmed(seq: number, concern: 'all' | 'majority', withinMs?: number): Promise<boolean> | boolean {
    return this.ports.links.length === 0 || this.confirmations.wait(seq, concern, withinMs);
  }

  private handle(input: PrimaryInput): void {
    if (this.state === undefined || this.isClosed) return;
    this.carryOut(decidePrimary(this.state, input));
  }

  private carryOut({ state, effects }: PrimaryDecision): void {
    const before = this.state;
    this.state = state;
    if (before !== undefined) this.noteChanges(before, state);
    if (admits(state)) this.admitting();
    for (const effect of effects) this.perform(effect, state.identity);
  }

  private perform(effect: PrimaryEffect, identity: PrimaryIdentity): void {
    switch (effect.kind) {
      case 'send-append': {
        const { replica, afterSeq } = effect;
        const options = { timeoutMs: this.timeoutFor(replica), auditAt: this.audit.cutFor(replica, afterSeq) };
        void this.send(replica, (link) => this.shipping.append(link, identity, afterSeq, options), options.auditAt);
        break;
      }
      case 'send-snapshot':
        void this.send(effect.replica, (link) => this.shipping.snapshot(link, identity));
        break;
      case 'send-set-aside':
        void this.send(effect.replica, (link) => link.quarantine(identity, this.options.writeDeadlineMs));
        break;
      case 'verify':
        void this.verify(effect.replica, identity);
        break;
      case 'confirmed':
        this.confirmations.confirm(effect);
        break;
      case 'stop':
        this.ports.process.stop(effect.reason, undefined);
        break;
    }
  }

  private async send(
    name: string,
    message: (link: ReplicaLink) => Promise<ReplicaAnswer>,
    auditAt?: number,
  ): Promise<void> {
    const link = this.linkOf(name);
    let input: PrimaryInput;
    try {
      input = await this.understood(link, await message(link), auditAt);
    } catch (error) {
      this.audit.failed(name);
      input = { kind: 'failed', replica: name, error: (error as Error).message };
    }
    this.handle(input);
  }

  private async understood(
    link: ReplicaLink,
    answer: ReplicaAnswer,
    auditAt: number | undefined,
  ): Promise<PrimaryInput> {
    const { position } = answer.report;
    const own = await this.shipping.positionAt(position.seq);
    const relation = own === 'gone' ? 'unknown' : own?.hash === position.hash ? 'on-chain' : 'off-chain';
    if (answer.verdict === 'accepted') this.audit.reached(link, position.seq, auditAt);
    const canShipAfter = this.shipping.canShipAfter(position.seq);
    return { kind: 'answered', replica: link.name, answer, relation, canShipAfter };
  }

  /** Brings one replica to a log position where both states can be compared, and compares them. */
  private async verify(name: string, identity: PrimaryIdentity): Promise<void> {
    const link = this.linkOf(name);
    const timeoutMs = this.options.writeDeadlineMs;
    try {
      const compared = this.audit.begin([name]);
      let afterSeq = this.state?.replicas.find((view) => view.name === name)?.ackedSeq ?? 0;
      for (let auditAt = this.audit.cutFor(name, afterSeq); auditAt !== undefined;) {
        const { verdict, report } = await this.shipping.append(link, identity, afterSeq, { timeoutMs, auditAt });
        const isProgress = report.position.seq > afterSeq || report.position.seq === auditAt;
        if (verdict !== 'accepted' || !isProgress) throw new Error(`the replica answered ${verdict} to a comparison`);
        afterSeq = report.position.seq;
        this.audit.reached(link, afterSeq, auditAt);
        auditAt = this.audit.cutFor(name, afterSeq);
      }
      const result = await compared;
      if (result === undefined) throw new Error('the replica did not show its state hash');
      this.handle({ kind: 'audited', ...result });
    } catch (error) {
      this.audit.failed(name);
      this.handle({ kind: 'failed', replica: name, error: (error as Error).message });
    }
  }

  private linkOf(name: string): ReplicaLink {
    const link = this.ports.links.find((candidate) => candidate.name === name);
    if (link === undefined) throw new Error(`there is no replica ${name}`);
    return link;
  }

  private timeoutFor(name: string): number {
    const isWaitedFor = this.state?.replicas.some((view) => view.name === name && isInSync(view)) ?? false;
    return isWaitedFor ? this.options.replicaTimeoutMs : this.options.writeDeadlineMs;
  }

  private keepAsking(): void {
    this.ports.timers.after(this.options.pingMs, () => {
      for (const { name } of this.ports.links) this.handle({ kind: 'due', replica: name });
      if (!this.isClosed) this.keepAsking();
    });
  }

  private keepAuditing(afterMs: number): void {
    this.ports.timers.after(afterMs, () => {
      const names = (this.state?.replicas ?? []).filter(isInSync).map(({ name }) => name);
      void this.audit.begin(names).then((result) => {
        if (result !== undefined) this.handle({ kind: 'audited', ...result });
        if (!this.isClosed) this.keepAuditing(this.options.auditEveryMs);
      });
    });
  }

  /** Logs changes of condition and releases snapshots that a replica no longer needs. */
  private noteChanges(before: PrimaryState, after: PrimaryState): void {
    for (const [index, view] of after.replicas.entries()) {
      const earlier = before.replicas[index];
      if (earlier === undefined || earlier.condition === view.condition) continue;
      const { name: replica, condition, lastError } = view;
      const details = { replica, condition, was: earlier.condition, ackedSeq: view.ackedSeq, lastError };
      if (condition === 'in-sync') this.ports.log.info('a replica is in sync', details);
      else this.ports.log.warn('a replica is not in sync', details);
      if (condition !== 'snapshot' && condition !== 'catching-up') this.shipping.release(replica);
      // The hash that the replica showed before proves nothing about its present state.
      if (earlier.condition === 'in-sync') this.audit.failed(replica);
    }
  }
}

function isInSync({ condition }: ReplicaView): boolean {
  return condition === 'in-sync';
}

/** Acknowledgements of a replica whose state was not compared yet prove nothing. */
function holds({ ackedSeq, mustVerify }: ReplicaView, seq: number): boolean {
  return !mustVerify && ackedSeq >= seq;
}
