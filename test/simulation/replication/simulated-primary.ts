import type { ChainPosition } from '../../../src/kernel/index.js';
import {
  admits,
  type ChainRelation,
  decidePrimary,
  type PrimaryDecision,
  type PrimaryEffect,
  type PrimaryInput,
  type PrimaryState,
} from '../../../src/protocols/replication/index.js';
import type { Cluster, Concern, Opener } from './cluster.js';
import { handshake } from './simulated-handshake.js';
import type { Reply, Sent } from './simulated-network.js';
import type { SimulatedReplica } from './simulated-replica.js';
import { type Crash, recordAfter, type SimulatedStore } from './simulated-store.js';

/** The answer to a client, absent when the process ends first. `done` contains the number of the write. */
export type WriteOutcome = { readonly kind: 'done'; readonly seq: number } | { readonly kind: 'refused' };

interface Waiter {
  readonly seq: number;
  readonly concern: Concern;
  readonly settle: (outcome: WriteOutcome) => void;
}

export const REPLICA_TIMEOUT_MS = 500;
const SNAPSHOT_TIMEOUT_MS = 1_500;
const PING_MS = 250;
const AUDIT_MS = 1_000;

/** A primary process around the real core: its start, handshake or recovery, service and end. */
export class SimulatedPrimary implements Opener {
  isAlive = true;
  core: PrimaryState | undefined;
  private isPaused = false;
  private backlog: (() => void)[] = [];
  private isFlushing = false;
  private waiters: Waiter[] = [];
  private readonly seqs = new Map<number, number>();

  constructor(
    readonly world: Cluster,
    readonly store: SimulatedStore,
    readonly primaryId: string,
  ) {
    store.open();
    handshake(this);
  }

  get isOpen(): boolean {
    return this.isAlive && this.core !== undefined;
  }

  get mayRun(): boolean {
    return this.isAlive && !this.isPaused;
  }

  run(action: () => void): void {
    if (!this.isAlive) return;
    if (this.isPaused) this.backlog.push(action);
    else action();
  }

  after(delayMs: number, action: () => void): void {
    this.world.queue.after(delayMs, () => {
      this.run(action);
    });
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    const { backlog } = this;
    this.backlog = [];
    for (const action of backlog) this.run(action);
  }

  stop(how: Crash): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.store.crash(how, this.world.random);
  }

  ask(replica: SimulatedReplica, sent: Sent, timeoutMs: number, settle: (reply: Reply | undefined) => void): void {
    this.world.network.request(this, replica, sent, timeoutMs, settle);
  }

  /** This process owns `epoch` now: it writes the first record, then it serves. */
  open(epoch: number): void {
    const { store, world } = this;
    store.clusterId ??= world.newClusterId();
    for (const { op, seq } of store.log) this.seqs.set(op, seq);
    store.append([recordAfter(store.positionAt(store.log.length), epoch, 0)]);
    const identity = { clusterId: store.clusterId, epoch, primaryId: this.primaryId };
    this.after(world.fsyncMs(), () => {
      store.durable = store.log.length;
      world.oracles.primaryDurable(this, identity);
      const replicas = world.replicas.map(({ name }) => name);
      const options = { identity, replicas, minInSync: world.minInSync, epochStart: store.position };
      this.take(world.variant.beginPrimary(options));
      this.every(PING_MS, () => {
        for (const name of replicas) this.input({ kind: 'due', replica: name });
      });
      this.every(AUDIT_MS, () => {
        this.audit();
      });
    });
  }

  /** A repeated `op` is the same write. */
  submit(op: number, concern: Concern, settle: (outcome: WriteOutcome) => void): void {
    this.run(() => {
      const { core, store } = this;
      let seq = this.seqs.get(op);
      // A write that exists only needs its confirmation.
      const isAdmitted = seq !== undefined || concern === 'primary' || (core && admits(core));
      if (!core || !isAdmitted) {
        settle({ kind: 'refused' });
        return;
      }
      if (seq === undefined) {
        const record = recordAfter(store.positionAt(store.log.length), core.identity.epoch, op);
        ({ seq } = record);
        store.append([record]);
        this.seqs.set(op, seq);
        this.flush();
      }
      this.waiters.push({ seq, concern, settle });
      this.settleWaiters();
    });
  }

  private flush(): void {
    const { store, world } = this;
    if (this.isFlushing || store.log.length === store.durable) return;
    this.isFlushing = true;
    const target = store.log.length;
    if (world.variant.shipsBeforeFsync) this.input({ kind: 'durable', seq: target });
    this.after(world.fsyncMs(), () => {
      this.isFlushing = false;
      store.durable = target;
      if (this.core) world.oracles.primaryDurable(this, this.core.identity);
      this.input({ kind: 'durable', seq: target });
      this.settleWaiters();
      this.flush();
    });
  }

  private settleWaiters(): void {
    const { core, store } = this;
    if (!core) return;
    const { all, majority } = core.confirmed;
    const reached: Record<Concern, number> = { all, majority, primary: store.durable };
    this.waiters = this.waiters.filter(({ seq, concern, settle }) => {
      if (seq > reached[concern]) return true;
      this.world.oracles.confirmed(this, core, concern, store.positionAt(seq));
      settle({ kind: 'done', seq });
      return false;
    });
  }

  private input(input: PrimaryInput): void {
    if (this.isAlive && this.core) this.take(decidePrimary(this.core, input));
  }

  private take({ state, effects }: PrimaryDecision): void {
    this.core = state;
    for (const { kind } of effects) this.world.met.add(kind);
    if (effects.some(({ kind }) => kind === 'stop')) {
      this.stop('kill');
      this.world.primaryEnded(this);
      return;
    }
    for (const effect of effects) this.perform(effect);
  }

  private perform(effect: PrimaryEffect): void {
    if (effect.kind === 'stop') return;
    if (effect.kind === 'confirmed') {
      this.settleWaiters();
      return;
    }
    const replica = this.world.replica(effect.replica);
    if (effect.kind === 'verify') this.verify(replica);
    else if (effect.kind === 'send-append') this.sendAppend(replica, effect.afterSeq);
    else this.send(replica, this.messageOf(effect.kind), SNAPSHOT_TIMEOUT_MS);
  }

  private messageOf(kind: 'send-snapshot' | 'send-set-aside'): Sent {
    const { identity: from } = this.core!;
    if (kind === 'send-set-aside') return { message: { kind: 'set-aside', from } };
    const content = this.store.copy();
    return { message: { kind: 'install', from, position: content.positionAt(content.snapshotSeq) }, content };
  }

  private sendAppend(replica: SimulatedReplica, wantedSeq: number): void {
    const { store, world } = this;
    const durableSeq = world.variant.shipsBeforeFsync ? store.log.length : store.durable;
    const afterSeq = wantedSeq + 1 < store.firstSeq ? durableSeq : wantedSeq;
    const records = store.log.slice(afterSeq, Math.min(durableSeq, afterSeq + world.maxPerMessage));
    const { identity: from } = this.core!;
    const message = { kind: 'append', from, after: store.positionAt(afterSeq), durableSeq, records } as const;
    this.send(replica, { message, records }, REPLICA_TIMEOUT_MS);
  }

  private send(replica: SimulatedReplica, sent: Sent, timeoutMs: number): void {
    this.ask(replica, sent, timeoutMs, (reply) => {
      if (reply?.kind !== 'answer') {
        this.input({ kind: 'failed', replica: replica.name, error: 'no answer' });
        return;
      }
      const { answer } = reply;
      this.world.met.add(answer.verdict);
      const { position } = answer.report;
      const canShipAfter = position.seq + 1 >= this.store.firstSeq;
      const relation = this.relationOf(position);
      this.input({ kind: 'answered', replica: replica.name, answer, relation, canShipAfter });
    });
  }

  private relationOf(position: ChainPosition): ChainRelation {
    const { store } = this;
    if (position.seq === 0) return 'on-chain';
    if (position.seq > store.durable) return 'off-chain';
    if (position.seq + 1 < store.firstSeq && position.seq !== store.snapshotSeq) return 'unknown';
    return store.positionAt(position.seq).hash === position.hash ? 'on-chain' : 'off-chain';
  }

  private verify(replica: SimulatedReplica): void {
    this.ask(replica, { question: { kind: 'state-hash' } }, REPLICA_TIMEOUT_MS, (reply) => {
      const isHere = reply?.kind === 'state-hash' && this.relationOf(reply.position) === 'on-chain';
      if (isHere) this.report(reply.position.seq, { [replica.name]: String(reply.state) });
      else this.input({ kind: 'failed', replica: replica.name, error: 'nothing to compare' });
    });
  }

  /** Compares the replicas that are at the same position. */
  private audit(): void {
    const hashes = new Map<number, Record<string, string>>();
    for (const replica of this.world.replicas) {
      this.ask(replica, { question: { kind: 'state-hash' } }, REPLICA_TIMEOUT_MS, (reply) => {
        if (reply?.kind !== 'state-hash' || this.relationOf(reply.position) !== 'on-chain') return;
        const { seq } = reply.position;
        hashes.set(seq, { ...hashes.get(seq), [replica.name]: String(reply.state) });
      });
    }
    this.after(REPLICA_TIMEOUT_MS + 1, () => {
      const [fullest] = [...hashes].sort(([, one], [, other]) => Object.keys(other).length - Object.keys(one).length);
      if (fullest && fullest[0] > 0) this.report(...fullest);
    });
  }

  private report(seq: number, replicas: Record<string, string>): void {
    this.input({ kind: 'audited', own: String(this.store.stateAt(seq)), replicas });
  }

  private every(periodMs: number, action: () => void): void {
    this.after(periodMs, () => {
      action();
      this.every(periodMs, action);
    });
  }
}
