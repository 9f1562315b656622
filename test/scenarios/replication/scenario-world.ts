import {
  beginPrimary,
  chooseRecovery,
  decideHandshake,
  decidePrimary,
  decideReplica,
  type Heard,
  type PrimaryDecision,
  type PrimaryEffect,
  type PrimaryInput,
  type PrimaryState,
  type ReplicaAnswer,
  type ReplicaEffect,
  type ReplicaMessage,
  type ReplicaReport,
  reportOf,
} from '../../../src/protocols/replication/index.js';
import { recordAfter, SimulatedStore } from '../../simulation/replication/simulated-store.js';
import { clusterOf, perform, relationOf, stateOf } from './scenario-replica.js';
import { deedOf, list, messageOf, opOf, positionText } from './scenario-messages.js';

const MIN_IN_SYNC = 2;
const NAMES = ['a', 'b', 'c', 'd'];

interface Pending {
  readonly from: Primary;
  readonly message: ReplicaMessage | 'state-hash';
  readonly content: SimulatedStore;
}

interface Replica {
  readonly name: string;
  store: SimulatedStore;
  isAway: boolean;
  /** Messages from the primaries that are under way; they arrive one at a time. */
  readonly pending: Pending[];
  /** Messages that the sender has given up and the network has not. */
  readonly late: Pending[];
}

interface Primary {
  readonly name: string;
  store: SimulatedStore;
  core: PrimaryState | undefined;
  /** The former end of its journal, if that end is lost. */
  witnessed?: number;
}

/** Runs the real cores of four replicas and some primaries; nothing happens without a command. */
export class ScenarioWorld {
  private readonly replicas = new Map<string, Replica>();
  private readonly primaries = new Map<string, Primary>();
  private readonly backups = new Map<string, SimulatedStore>();
  private readonly looks = new Map<string, Heard>();
  private maxPerMessage = Infinity;
  private lines: string[] = [];

  constructor() {
    for (const name of NAMES) {
      this.replicas.set(name, { name, store: new SimulatedStore(), isAway: false, pending: [], late: [] });
    }
  }

  /** Returns one line per event. */
  run(command: string): readonly string[] {
    this.lines = [];
    const [verb = '', ...words] = command.split(' ');
    const act = this.commands[verb];
    if (!act) throw new Error(`Unknown command ${verb}.`);
    act(...words);
    return this.lines;
  }

  private readonly commands: Readonly<Record<string, (...words: string[]) => void>> = {
    /** `open p1`: runs the handshake until the epoch is open or refused. Replicas that are away do not answer. */
    open: (name = '') => {
      const looked = this.looks.get(name);
      this.looks.delete(name);
      this.open(this.primary(name), looked ?? this.reports(), []);
    },
    /** `look p2`: asks all replicas for their positions; a later `open` continues with the answers. */
    look: (name = '') => {
      this.looks.set(name, this.reports());
    },
    /** `promise p2 2 a b`: asks a and b for the promise of epoch 2 and shows their answers. */
    promise: (primaryId = '', epoch = '', ...names) => {
      for (const name of names) {
        const message = { kind: 'promise', from: { epoch: Number(epoch), primaryId } } as const;
        this.receive(this.replica(name), { from: this.primary(primaryId), message, content: new SimulatedStore() });
      }
    },
    /** `write p1 x`: makes x durable on p1 and ships it. */
    write: (name = '', op = '') => {
      const { store, core } = this.primary(name);
      store.append([recordAfter(store.position, core!.identity.epoch, opOf(op))]);
      store.durable += 1;
      this.input(this.primary(name), { kind: 'durable', seq: store.durable });
    },
    /** `deliver a b`: the messages to a and b arrive, and so do their answers. */
    deliver: (...names) => {
      for (const name of names) this.deliver(this.replica(name));
    },
    /** `settle`: delivers messages until none is under way, without output. */
    settle: () => {
      const isUnderWay = (replica: Replica): boolean => replica.pending.length > 0 && !replica.isAway;
      const all = [...this.replicas.values()];
      while (all.some(isUnderWay)) for (const replica of all.filter(isUnderWay)) this.deliver(replica);
      this.lines = [];
    },
    /** `time-out a`: the sender gives its message up; the network still holds it. */
    'time-out': (...names) => {
      for (const name of names) {
        const { pending, late } = this.replica(name);
        const given = pending.shift()!;
        late.push(given);
        this.input(given.from, { kind: 'failed', replica: name, error: 'no answer within 500 ms' });
      }
    },
    /** `arrive-late a`: a message that was given up arrives; its answer is ignored. */
    'arrive-late': (name = '') => {
      const replica = this.replica(name);
      this.receive(replica, replica.late.shift()!);
    },
    /** `repeat a`: the message arrives but its answer is lost; the same message will arrive again. */
    repeat: (name = '') => {
      const replica = this.replica(name);
      this.receive(replica, replica.pending[0]!);
    },
    /** `due p1 a` */
    due: (name = '', ...replicas) => {
      for (const replica of replicas) this.input(this.primary(name), { kind: 'due', replica });
    },
    /** `audit p1`: compares the states of all replicas that are at the position of p1. */
    audit: (name = '') => {
      const { store } = this.primary(name);
      const there = [...this.replicas.values()].filter((each) => each.store.position.hash === store.position.hash);
      const replicas = there.map((each): [string, string] => [each.name, String(each.store.stateAt(store.durable))]);
      const own = String(store.stateAt(store.durable));
      this.input(this.primary(name), { kind: 'audited', own, replicas: Object.fromEntries(replicas) });
    },
    /** `limit 1`: a message holds at most one record. */
    limit: (count = '') => {
      this.maxPerMessage = Number(count);
    },
    away: (...names) => {
      for (const name of names) this.replica(name).isAway = true;
    },
    back: (...names) => {
      for (const name of names) this.replica(name).isAway = false;
    },
    /** `end p1`: its process and its unsent messages are gone; its directory stays. */
    end: (name = '') => {
      const primary = this.primary(name);
      primary.core = undefined;
      for (const { pending } of this.replicas.values()) {
        pending.splice(0, Infinity, ...pending.filter(({ from }) => from !== primary));
      }
    },
    /** `wipe a`: empties the directory of a replica or a primary. */
    wipe: (name = '') => {
      this.holder(name).store = new SimulatedStore();
    },
    /** `cut p1 2`: the last two records of the journal are lost; the journal knows its former end. */
    cut: (name = '', count = '1') => {
      const primary = this.primary(name);
      primary.witnessed = primary.store.durable;
      primary.store.log.length -= Number(count);
      primary.store.durable = primary.store.log.length;
    },
    backup: (name = '') => {
      this.backups.set(name, this.holder(name).store.copy());
    },
    restore: (name = '') => {
      this.holder(name).store = this.backups.get(name)!.copy();
    },
    /** `copy p1 p2`: a second directory with the same content. */
    copy: (from = '', to = '') => {
      this.primary(to).store = this.primary(from).store.copy();
    },
    /** `tamper a`: its state no longer matches its records. */
    tamper: (name = '', by = '1') => {
      const { store } = this.holder(name);
      store.states[store.durable - 1]! ^= Number(by);
    },
    /** `shorten p1`: all records so far are only in the snapshot. */
    shorten: (name = '') => {
      const { store } = this.holder(name);
      store.snapshotSeq = store.durable;
      store.firstSeq = store.durable + 1;
    },
    /** `recover p2`: restores p2 from the replicas that are not away. */
    recover: (name = '') => {
      this.recover(this.primary(name));
    },
    /** `show a p1` */
    show: (...names) => {
      for (const name of names) this.show(name);
    },
  };

  private open(primary: Primary, heard: Heard, forks: readonly string[]): void {
    const { name, store } = primary;
    const { witnessed = 0 } = primary;
    const missing = witnessed > store.durable ? `it had come to record ${witnessed}` : undefined;
    const own = { clusterId: store.clusterId, position: store.position, primaryId: name, forks, missing };
    const decision = decideHandshake(own, heard, NAMES.length, MIN_IN_SYNC);
    switch (decision.kind) {
      case 'open':
        this.begin(primary, decision.epoch);
        return;
      case 'wait':
        this.say(`${name} waits: heard ${decision.heard}, needs ${decision.needed}`);
        return;
      case 'wait-for-all':
        this.say(`${name} waits for all: ${decision.missing}`);
        return;
      case 'refuse':
        this.say(`${name} refuses: ${decision.reason}`);
        return;
      case 'ask-promises':
        this.say(`${name} asks for promises of epoch ${decision.epoch}`);
        this.open(primary, { ...heard, ...this.promises(decision.epoch, name) }, forks);
        return;
      case 'pull': {
        const other = this.replica(decision.replica).store;
        const news = other.log.slice(store.durable);
        const next = recordAfter(store.position, news[0]!.epoch, news[0]!.op);
        const isContinuation = other.firstSeq <= store.durable + 1 && next.hash === news[0]!.hash;
        this.say(`${name} pulls from ${decision.replica}: ${isContinuation ? list(news) : 'nothing that follows'}`);
        if (isContinuation) {
          store.append(news);
          store.durable = store.log.length;
        }
        this.open(primary, this.reports(), isContinuation ? forks : [...forks, decision.replica]);
      }
    }
  }

  private begin(primary: Primary, epoch: number): void {
    const { name, store } = primary;
    this.say(`${name} opens epoch ${epoch}`);
    store.clusterId ??= 'shop';
    store.append([recordAfter(store.position, epoch, 0)]);
    store.durable += 1;
    const identity = { clusterId: store.clusterId, epoch, primaryId: name };
    this.take(primary, beginPrimary({ identity, replicas: NAMES, minInSync: MIN_IN_SYNC, epochStart: store.position }));
  }

  private recover(primary: Primary): void {
    const heard = Object.values(this.reports());
    const epoch = 1 + Math.max(0, ...heard.map(({ promisedEpoch }) => promisedEpoch));
    const choice = chooseRecovery(this.promises(epoch, `recovery-${primary.name}`), NAMES.length, MIN_IN_SYNC);
    if (choice.kind === 'restore') {
      const { store } = this.replica(choice.replica);
      primary.store = store.copy();
      this.say(`${primary.name} is restored from ${choice.replica}: ${list(store.log)}`);
    } else if (choice.kind === 'wait') {
      this.say(`${primary.name} waits: ${choice.promised} can vote, needs ${choice.needed}`);
    } else this.say(`${primary.name} refuses: ${choice.reason}`);
  }

  private reports(): Heard {
    const present = [...this.replicas.values()].filter(({ isAway }) => !isAway);
    return Object.fromEntries(present.map((replica) => [replica.name, reportOf(stateOf(replica))]));
  }

  private promises(epoch: number, primaryId: string): Heard {
    const present = [...this.replicas.values()].filter(({ isAway }) => !isAway);
    return Object.fromEntries(
      present.map((replica): [string, ReplicaReport] => {
        const decision = decideReplica(stateOf(replica), { kind: 'promise', from: { epoch, primaryId } });
        for (const effect of decision.effects) perform(replica, effect, replica.store, undefined);
        return [replica.name, reportOf(decision.state)];
      }),
    );
  }

  private deliver(replica: Replica): void {
    const given = replica.pending.shift();
    if (!given) throw new Error(`Nothing is under way to ${replica.name}.`);
    const { store } = given.from;
    if (given.message === 'state-hash') {
      const seq = replica.store.durable;
      const replicas = { [replica.name]: String(replica.store.stateAt(seq)) };
      this.input(given.from, { kind: 'audited', own: String(store.stateAt(seq)), replicas });
      return;
    }
    const answer = this.receive(replica, given);
    if (!answer) return;
    const { position } = answer.report;
    const relation = relationOf(store, position);
    const canShipAfter = position.seq + 1 >= store.firstSeq;
    this.input(given.from, { kind: 'answered', replica: replica.name, answer, relation, canShipAfter });
  }

  /** One message arrives at the replica. */
  private receive(replica: Replica, { message, content, from }: Pending): ReplicaAnswer | undefined {
    if (message === 'state-hash') return undefined;
    const { effects } = decideReplica(stateOf(replica), message);
    const [last] = effects.slice(-1);
    for (const effect of effects) perform(replica, effect, content, clusterOf(message));
    const deeds = effects.filter(({ kind }) => kind !== 'answer').map(deedOf);
    const { answer } = last as Extract<ReplicaEffect, { kind: 'answer' }>;
    const words = [...deeds, `${answer.verdict} at ${positionText(answer.report.position)}`];
    this.say(`${replica.name} <- ${from.name} ${messageOf(message)}: ${words.join(', ')}`);
    return answer;
  }

  private input(primary: Primary, input: PrimaryInput): void {
    if (primary.core) this.take(primary, decidePrimary(primary.core, input));
  }

  private take(primary: Primary, { state, effects }: PrimaryDecision): void {
    const stop = effects.find(({ kind }) => kind === 'stop');
    primary.core = stop ? undefined : state;
    for (const effect of stop ? [stop] : effects) this.perform(primary, effect);
  }

  private perform(primary: Primary, effect: PrimaryEffect): void {
    const { name, store, core } = primary;
    if (effect.kind === 'stop') {
      this.say(`${name} stops: ${effect.reason}`);
      return;
    }
    if (effect.kind === 'confirmed') {
      this.say(`${name} confirms up to ${effect.all} under all, ${effect.majority} under majority`);
      return;
    }
    const { identity: from } = core!;
    const { pending } = this.replica(effect.replica);
    const content = store.copy();
    switch (effect.kind) {
      case 'send-append': {
        const after = store.positionAt(effect.afterSeq);
        const records = store.log.slice(effect.afterSeq, Math.min(store.durable, effect.afterSeq + this.maxPerMessage));
        const message = { kind: 'append', from, after, durableSeq: store.durable, records } as const;
        pending.push({ from: primary, message, content });
        return;
      }
      case 'send-snapshot':
        pending.push({
          from: primary,
          message: { kind: 'install', from, position: store.positionAt(store.snapshotSeq) },
          content,
        });
        return;
      case 'send-set-aside':
        pending.push({ from: primary, message: { kind: 'set-aside', from }, content });
        return;
      case 'verify':
        this.say(`${name} compares states with ${effect.replica}`);
        pending.push({ from: primary, message: 'state-hash', content });
    }
  }

  private show(name: string): void {
    const primary = this.primaries.get(name);
    if (!primary) {
      const { store } = this.replica(name);
      const { promisedEpoch, canVote } = store.promise;
      const aside = store.quarantined.map((log) => `; quarantined: ${list(log)}`).join('');
      this.say(
        `${name}: ${list(store.log)}; promised ${promisedEpoch}, ${canVote ? 'can vote' : 'cannot vote'}${aside}`,
      );
      return;
    }
    const { core, store } = primary;
    const views = core?.replicas.map((view) => `${view.name} ${view.condition} ${view.ackedSeq}`).join(', ');
    const { all, majority } = core?.confirmed ?? { all: 0, majority: 0 };
    this.say(`${name}: ${list(store.log)}; ${views ? `confirmed ${all}/${majority}; ${views}` : 'not open'}`);
  }

  private say(line: string): void {
    this.lines.push(line);
  }

  private replica(name: string): Replica {
    return this.replicas.get(name)!;
  }

  private primary(name: string): Primary {
    const primary = this.primaries.get(name) ?? { name, store: new SimulatedStore(), core: undefined };
    this.primaries.set(name, primary);
    return primary;
  }

  private holder(name: string): Replica | Primary {
    return this.replicas.get(name) ?? this.primary(name);
  }
}
