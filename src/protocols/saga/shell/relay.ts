import {
  type Clock,
  type CrashSites,
  LimitedWarnings,
  type Log,
  type Random,
  type Timers,
} from '../../../kernel/index.js';
import { decideDelivery, type DeliveryInput, deliveryOf } from '../core/delivery.js';
import { type SagaDefinition, type SagaEndState, START } from '../core/definition.js';
import type { Reaction, SagaData, SagaFile, SagaRef, StepRecord } from '../ports.js';
import { type Delivery, keyOf, type Lane, leave, NO_ROUNDS, type OpenDelivery, viewOf } from './delivery-under-way.js';
import { Round } from './round.js';
import { type TimelineStep, timelineOf } from './timeline.js';

export interface SagaRelayPorts {
  readonly timers: Timers;
  readonly clock: Clock;
  readonly random: Random;
  readonly crashSites: CrashSites;
  readonly log: Log;
  /** A test seam: each delivery waits so long first, all of them at once. 0 in production. */
  readonly deliveryDelayMs: number;
}

/** How a saga ended. `data` is that of the event that ended it. */
export interface SagaEnd {
  readonly state: SagaEndState | 'superseded';
  readonly data: SagaData;
}

/** `goOn`: call it once. `blockedBy`: what stands against the pause; nothing has changed. */
export type Pause = { readonly goOn: () => void } | { readonly blockedBy: OpenDelivery };

interface Ending {
  readonly promise: Promise<SagaEnd>;
  readonly resolve: (end: SagaEnd) => void;
}

/** More would hold the event loop too long in one commit. */
const MAX_IN_FLIGHT = 256;
const CHANCE_BYTES = 6;

/**
 * Hands each event on to the participant whose step it leads to: in memory and at once after the commit that made it, again with
 * backoff until the receiver's row is durable. All that it must know after a crash is in the outboxes.
 */
export class SagaRelay {
  private readonly lanes: ReadonlyMap<string, Lane>;
  private readonly deliveries = new Map<string, Delivery>();
  private readonly endings = new Map<number, Ending>();
  private readonly names: readonly string[];
  private readonly warnings: LimitedWarnings;
  private isSuperseded: (saga: SagaRef) => boolean = () => false;
  private pausing: Round | undefined;
  private stopping: Round | undefined;

  constructor(
    private readonly ports: SagaRelayPorts,
    private readonly definition: SagaDefinition,
    files: readonly SagaFile[],
  ) {
    this.lanes = new Map(files.map((file) => [file.participant, { file, waiting: [], inFlight: 0 }]));
    this.names = [START, ...definition.steps.map(({ step }) => step)];
    this.warnings = new LimitedWarnings(ports.log, () => ports.clock.nowMs());
    for (const name of definition.participants) this.laneOf(name);
  }

  /**
   * Reads all outboxes and gives each event one try that uses up no budget. A saga whose rows say that its owner has superseded it is
   * cut off instead. Resolves when each of these sagas has ended, waits for its next try, or is parked.
   */
  start(isSuperseded: (saga: SagaRef) => boolean): Promise<void> {
    this.isSuperseded = isSuperseded;
    return this.drain();
  }

  /** The commit that began this saga is durable. */
  begun(record: StepRecord): void {
    this.ports.crashSites.reach('saga.start.after');
    // A drain may have found it.
    if (this.deliveries.has(keyOf(record.saga.number, record.step))) return;
    this.send(this.laneOf(this.definition.start.by).file, record, NO_ROUNDS);
  }

  /** Resolves when the saga ends. Only for a saga that its owner's rows show as running at the call. */
  ended(number: number): Promise<SagaEnd> {
    const known = this.endings.get(number);
    if (known !== undefined) return known.promise;
    let resolve: Ending['resolve'] = () => undefined;
    const promise = new Promise<SagaEnd>((resolved) => (resolve = resolved));
    this.endings.set(number, { promise, resolve });
    return promise;
  }

  /** Gives each event of the outboxes that is not in flight one try, also a parked one. Waits for a pause to end. Resolves as `start` does. */
  drain(): Promise<void> {
    if (this.pausing !== undefined) return this.pausing.closed().then(() => this.drain());
    this.readOutboxes();
    return this.tryNow([...this.deliveries.values()]);
  }

  /** As `drain`, for one saga. */
  resume(number: number): Promise<void> {
    if (this.pausing !== undefined) return this.pausing.closed().then(() => this.resume(number));
    return this.tryNow(this.deliveriesOf(number));
  }

  /**
   * Lets no step run, so that the owner of the sagas may change what they work on; the caller lets none begin meanwhile. Refused
   * while an event is on its way, and while a parked saga has a step row besides that of its start: such a saga holds something, and
   * must end first. During the pause the owner may make durable that a saga is superseded; `goOn` cuts that saga off.
   */
  pause(): Pause {
    const blockedBy = [...this.deliveries.values()].find(
      ({ state, record }) => state.phase !== 'parked' || this.timeline(record.saga.number).length > 1,
    );
    if (blockedBy !== undefined) return { blockedBy: viewOf(blockedBy) };
    const pausing = (this.pausing = new Round());
    pausing.enter();
    return {
      goOn: () => {
        this.pausing = undefined;
        pausing.leave();
        for (const delivery of [...this.deliveries.values()]) this.cutOffIfSuperseded(delivery);
      },
    };
  }

  /** Events of this saga that are not delivered: one, or after a crash the same one in two outboxes. */
  openOf(number: number): readonly OpenDelivery[] {
    return this.deliveriesOf(number).map(viewOf);
  }

  get parked(): readonly OpenDelivery[] {
    return [...this.deliveries.values()].filter(({ state }) => state.phase === 'parked').map(viewOf);
  }

  /** How many events are on their way, or wait for their next try. Parked ones do not count. */
  get underWay(): number {
    let count = 0;
    for (const { state } of this.deliveries.values()) if (state.phase !== 'parked') count += 1;
    return count;
  }

  /** All rows of the saga, each with its participant, in the order in which its steps were done. */
  timeline(number: number): readonly TimelineStep[] {
    return timelineOf(
      [...this.lanes.values()].map(({ file }) => file),
      number,
    );
  }

  /** Resolves when no event is in flight any more of those that are now. */
  atRest(): Promise<void> {
    const inFlight = [...this.deliveries.values()].filter(({ state }) => state.phase === 'in-flight');
    return this.together(inFlight);
  }

  /** Delivers nothing more. Resolves when no step is under way; what is not delivered is in the outboxes. */
  stop(): Promise<void> {
    if (this.stopping !== undefined) return this.stopping.closed();
    this.stopping = new Round();
    for (const lane of this.lanes.values()) {
      lane.waiting.length = 0;
      for (let open = lane.inFlight; open > 0; open -= 1) this.stopping.enter();
    }
    for (const delivery of this.deliveries.values()) {
      delivery.cancelTimer?.();
      leave(delivery);
    }
    return this.stopping.closed();
  }

  /**
   * Finds events of which this relay does not know: an earlier process has left them, or a note is still to be written. The events of a
   * saga that the participant that starts sagas has forgotten were delivered, because it has ended.
   */
  private readOutboxes(): void {
    const forgottenBelow = this.laneOf(this.definition.start.by).file.prunedBelow;
    for (const delivery of [...this.deliveries.values()]) {
      const isForgotten = delivery.record.saga.number < forgottenBelow;
      if (isForgotten && delivery.state.phase !== 'in-flight') this.decide(delivery, { type: 'delivered' });
    }
    for (const { file } of this.lanes.values()) {
      for (const record of file.undelivered()) {
        if (record.saga.number < forgottenBelow) continue;
        if (this.deliveries.has(keyOf(record.saga.number, record.step))) continue;
        this.cutOffIfSuperseded(this.track(file, record));
      }
    }
  }

  private cutOffIfSuperseded(delivery: Delivery): void {
    const { saga } = delivery.record;
    if (!this.isSuperseded(saga)) return;
    this.decide(delivery, { type: 'superseded' });
    this.end(saga.number, { state: 'superseded', data: {} });
  }

  private tryNow(deliveries: readonly Delivery[]): Promise<void> {
    if (this.stopping !== undefined) return Promise.resolve();
    const resting = deliveries.filter(({ state }) => state.phase !== 'in-flight');
    const tried = this.together(resting);
    for (const delivery of resting) this.decide(delivery, { type: 'try' });
    return tried;
  }

  private together(deliveries: readonly Delivery[]): Promise<void> {
    const round = new Round();
    for (const delivery of deliveries) {
      round.enter();
      delivery.rounds = [...delivery.rounds, round];
    }
    return round.closed();
  }

  private deliveriesOf(number: number): readonly Delivery[] {
    return this.names.flatMap((step) => this.deliveries.get(keyOf(number, step)) ?? []);
  }

  private laneOf(participant: string): Lane {
    const lane = this.lanes.get(participant);
    if (!lane) throw new Error(`saga ${this.definition.name}: no file of ${participant} was given`);
    return lane;
  }

  private track(sender: SagaFile, record: StepRecord): Delivery {
    const step = this.definition.stepOn(record.event);
    if (!step) throw new Error(`${record.event} ends saga ${this.definition.name} and is not delivered`);
    const delivery: Delivery = {
      key: keyOf(record.saga.number, record.step),
      sender,
      record,
      receiver: this.laneOf(step.by),
      budget: this.definition.retryOf(step),
      state: deliveryOf(record),
      isLastTry: false,
      reason: undefined,
      cancelTimer: undefined,
      rounds: NO_ROUNDS,
    };
    this.deliveries.set(delivery.key, delivery);
    return delivery;
  }

  private send(sender: SagaFile, record: StepRecord, rounds: readonly Round[]): void {
    if (this.stopping !== undefined) {
      for (const round of rounds) round.leave();
      return;
    }
    const delivery = this.track(sender, record);
    delivery.rounds = rounds;
    this.decide(delivery, { type: 'due' });
  }

  private decide(delivery: Delivery, input: DeliveryInput): void {
    const { state, effects } = decideDelivery(delivery.state, input, delivery.budget);
    delivery.state = state;
    for (const effect of effects) {
      switch (effect.type) {
        case 'deliver':
          this.deliver(delivery, effect.isLastTry);
          break;
        case 'wait':
          delivery.cancelTimer = this.ports.timers.after(effect.ms, () => {
            this.decide(delivery, { type: 'due' });
          });
          break;
        case 'note': {
          const { attempts, nextAtMs } = state;
          const { saga, step } = delivery.record;
          delivery.sender.note({ number: saga.number, step, delivery: effect.delivery, attempts, nextAtMs });
          break;
        }
      }
    }
    if (state.phase === 'delivered' || state.phase === 'superseded') this.forget(delivery);
  }

  private forget(delivery: Delivery): void {
    delivery.cancelTimer?.();
    this.deliveries.delete(delivery.key);
  }

  private deliver(delivery: Delivery, isLastTry: boolean): void {
    if (this.stopping !== undefined) return;
    delivery.cancelTimer?.();
    delivery.cancelTimer = undefined;
    delivery.isLastTry = isLastTry;
    const { deliveryDelayMs, timers } = this.ports;
    if (deliveryDelayMs === 0) this.queue(delivery);
    else {
      delivery.cancelTimer = timers.after(deliveryDelayMs, () => {
        this.queue(delivery);
      });
    }
  }

  private queue(delivery: Delivery): void {
    delivery.receiver.waiting.push(delivery);
    this.pump(delivery.receiver);
  }

  private pump(lane: Lane): void {
    while (lane.inFlight < MAX_IN_FLIGHT) {
      const delivery = lane.waiting.shift();
      if (delivery === undefined) return;
      lane.inFlight += 1;
      const { saga, event, data } = delivery.record;
      this.ports.crashSites.reach('saga.step.before');
      lane.file.react({ saga, name: event, data }, delivery.isLastTry, (reaction) => {
        lane.inFlight -= 1;
        this.settle(delivery, reaction);
        this.stopping?.leave();
        this.pump(lane);
      });
    }
  }

  private settle(delivery: Delivery, reaction: Reaction): void {
    if ('record' in reaction) {
      this.ports.crashSites.reach('saga.step.after');
      this.decide(delivery, { type: 'delivered' });
      this.goOn(delivery, reaction.record);
      return;
    }
    const isLater = 'later' in reaction;
    delivery.reason = isLater ? reaction.later : String((reaction.error as Error | undefined)?.message);
    const { random, clock } = this.ports;
    const chance = Buffer.from(random.bytes(CHANCE_BYTES)).readUIntBE(0, CHANCE_BYTES) / 2 ** (8 * CHANCE_BYTES);
    this.decide(delivery, { type: 'failed', nowMs: clock.nowMs(), chance });
    if (!isLater || delivery.state.phase === 'parked') this.warn(delivery, isLater ? undefined : reaction.error);
    leave(delivery);
  }

  /** The receiver's row is durable, and tells the next event or the end. */
  private goOn(delivery: Delivery, record: StepRecord): void {
    const { file } = delivery.receiver;
    const { saga, event, data } = record;
    const end = this.definition.endOf(event);
    if (end !== undefined) this.end(saga.number, { state: end, data });
    // A parked row of which this relay does not know was delivered, and the note of that is still to be written.
    const isOpen = record.delivery === 'pending';
    const isKnown = this.deliveries.has(keyOf(saga.number, record.step));
    if (!isOpen || isKnown) leave(delivery);
    else this.send(file, record, delivery.rounds);
  }

  private end(number: number, end: SagaEnd): void {
    this.endings.get(number)?.resolve(end);
    this.endings.delete(number);
  }

  private warn({ record, receiver, state, reason }: Delivery, error: unknown): void {
    const what = state.phase === 'parked' ? 'is parked until the next drain' : 'is tried again';
    const details = { saga: record.saga.number, event: record.event, to: receiver.file.participant, reason, error };
    this.warnings.warn(`an event of a saga could not be delivered and ${what}`, details);
  }
}
