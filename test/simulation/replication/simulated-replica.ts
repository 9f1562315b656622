import {
  type decideReplica,
  type ReplicaEffect,
  type ReplicaState,
  reportOf,
} from '../../../src/protocols/replication/index.js';
import type { SeededRandom } from '../../support/seeded-random.js';
import type { EventQueue } from './event-queue.js';
import type { Receiver, Reply, Sent } from './simulated-network.js';
import { type Crash, SimulatedStore } from './simulated-store.js';

type Message = Extract<Sent, { message: unknown }>;

interface Task {
  readonly sent: Message;
  readonly reply: (reply: Reply) => void;
}

export interface ReplicaWatcher {
  /** More records of this replica are durable. */
  replicaChanged(replica: SimulatedReplica, by: 'append' | 'install' | 'set-aside'): void;
}

/** A replica process around the real core: one message after the other, each effect durable before the next. */
export class SimulatedReplica implements Receiver {
  store = new SimulatedStore();
  isUp = false;
  incarnation = 0;
  slowness = 1;
  private state: ReplicaState | undefined;
  private readonly tasks: Task[] = [];
  private isBusy = false;
  /** The disk write under way; after a crash it is either done or not. */
  private underWay: (() => void) | undefined;

  constructor(
    readonly name: string,
    private readonly queue: EventQueue,
    private readonly random: SeededRandom,
    private readonly watcher: ReplicaWatcher,
    private readonly decide: typeof decideReplica,
  ) {}

  start(): void {
    if (this.isUp) return;
    this.isUp = true;
    this.incarnation += 1;
    const { store } = this;
    store.open();
    this.watcher.replicaChanged(this, 'append');
    if (store.durable === 0) store.clusterId = undefined;
    const { clusterId, position, firstSeq, promise } = store;
    this.state = { ...promise, clusterId, position, firstSeq };
  }

  stop(how: Crash): void {
    if (!this.isUp) return;
    this.isUp = false;
    this.tasks.length = 0;
    this.isBusy = false;
    if (this.underWay && this.random.chance(0.5)) this.underWay();
    this.underWay = undefined;
    this.store.crash(how, this.random);
  }

  receive(sent: Sent, reply: (reply: Reply) => void): void {
    if ('message' in sent) {
      this.tasks.push({ sent, reply });
      this.next();
      return;
    }
    const { store } = this;
    const { question } = sent;
    switch (question.kind) {
      case 'report':
        reply({ kind: 'report', report: reportOf(this.state!) });
        return;
      case 'records': {
        const isThere = store.firstSeq <= question.afterSeq + 1;
        reply({ kind: 'records', records: isThere ? store.log.slice(question.afterSeq, store.durable) : undefined });
        return;
      }
      case 'copy':
        reply({ kind: 'copy', store: store.copy() });
        return;
      case 'state-hash':
        reply({ kind: 'state-hash', position: store.position, state: store.stateAt(store.durable) });
    }
  }

  private next(): void {
    const task = this.isBusy ? undefined : this.tasks.shift();
    if (!task) return;
    this.isBusy = true;
    const { state, effects } = this.decide(this.state!, task.sent.message);
    this.perform(effects, 0, task, () => {
      this.state = state;
      this.isBusy = false;
      this.next();
    });
  }

  private perform(effects: readonly ReplicaEffect[], index: number, task: Task, done: () => void): void {
    const effect = effects[index];
    if (!effect) {
      done();
      return;
    }
    if (effect.kind === 'answer') {
      task.reply({ kind: 'answer', answer: effect.answer });
      this.perform(effects, index + 1, task, done);
      return;
    }
    const finish = this.begin(effect, task.sent);
    const { incarnation } = this;
    this.underWay = effect.kind === 'append' ? undefined : finish;
    this.queue.after((1 + this.random.fraction() * 4) * this.slowness, () => {
      if (!this.isUp || this.incarnation !== incarnation) return;
      this.underWay = undefined;
      finish();
      this.perform(effects, index + 1, task, done);
    });
  }

  /** Begins a write; the returned function applies its durable effect. */
  private begin(effect: Exclude<ReplicaEffect, { kind: 'answer' }>, sent: Message): () => void {
    const { store, watcher } = this;
    switch (effect.kind) {
      case 'keep-promise':
        return () => {
          store.promise = effect.promise;
        };
      case 'append': {
        const { seq } = effect.records[0]!;
        store.append(sent.records!.filter((record) => record.seq >= seq));
        store.clusterId = (sent.message.from as { clusterId: string }).clusterId;
        return () => {
          store.durable = store.log.length;
          watcher.replicaChanged(this, 'append');
        };
      }
      case 'install':
        return () => {
          store.replaceBy(sent.content!, effect.position.seq);
          watcher.replicaChanged(this, 'install');
        };
      case 'set-aside':
        return () => {
          store.quarantine();
          watcher.replicaChanged(this, 'set-aside');
        };
    }
  }
}
