import {
  arrived,
  deadlineOf,
  type Holding,
  type HoldingEffect,
  type HoldingInput,
} from '../../../src/protocols/failover/index.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { EventQueue } from '../replication/event-queue.js';
import { type Sending, SimulatedApps } from './simulated-apps.js';
import { REAL, type Variant } from './variant.js';

export const SITUATIONS = ['answered', 'repeated', 'refused', 'unknown', 'cut-off', 'gone'] as const;
type Situation = (typeof SITUATIONS)[number];

export interface Result {
  /** Undefined when every promise held. */
  readonly violation: string | undefined;
  readonly met: ReadonlyMap<Situation, number>;
}

class Violation extends Error {}

const BUSY_MS = 120_000;
const CALM_MS = 400_000;
const REQUESTS = 50;
const LOOK_EVERY_MS = 20;
/** The times of an outage are known to one look; a request meets several outages. */
const INEXACT_MS = 10 * LOOK_EVERY_MS;

/** The line that repeats a failed run. */
export function describeFailure(seed: number, violation: string): string {
  return `seed ${String(seed)}: ${violation}. Replay: npm run simulate -- --protocol gateway --seed ${String(seed)}`;
}

/** One run. The same seed and variant give the same run. */
export function simulate(seed: number, variant: Variant = REAL): Result {
  const world = new World(seed, variant);
  try {
    world.run();
    return { violation: undefined, met: world.met };
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    return { violation: error.message, met: world.met };
  }
}

interface Request {
  readonly content: string;
  readonly isWrite: boolean;
  holding: Holding;
  current: Sending | undefined;
  sendings: number;
  /** Times of this request by what the gateway knew. */
  readonly arrivedMs: number;
  withoutActiveMs: number;
  isGone: boolean;
  hasBytes: boolean;
  told: Situation | undefined;
}

/** A gateway, the processes behind it, and clients who believe what they are told. */
class World {
  readonly met = new Map<Situation, number>();
  private readonly queue = new EventQueue();
  private readonly random: SeededRandom;
  private readonly apps: SimulatedApps;
  private readonly requests: Request[] = [];
  private readonly waiting = new Set<Request>();
  /** What the gateway believes. */
  private active: number | undefined;

  constructor(
    seed: number,
    private readonly variant: Variant,
  ) {
    this.random = new SeededRandom(seed);
    this.apps = new SimulatedApps(this.queue, this.random);
  }

  run(): void {
    const { queue, random } = this;
    this.look();
    for (let n = 1; n <= REQUESTS; n += 1)
      queue.after(random.below(BUSY_MS), () => this.arrive(`content ${String(n)}`));
    for (let faults = 2 + random.below(12); faults > 0; faults -= 1) {
      queue.after(random.below(BUSY_MS), () => (random.chance(0.7) ? this.apps.kill() : this.apps.drain()));
    }
    queue.runUntil(BUSY_MS + CALM_MS);
    for (const request of this.requests) this.audit(request);
  }

  private arrive(content: string): void {
    const isWrite = this.random.chance(0.7);
    const request: Request = {
      ...{ content, isWrite, arrivedMs: this.queue.nowMs, withoutActiveMs: 0, sendings: 0 },
      ...{ current: undefined, isGone: false, hasBytes: false, told: undefined },
      holding: arrived({ key: isWrite ? `key of ${content}` : undefined }, this.queue.nowMs),
    };
    this.requests.push(request);
    this.waiting.add(request);
    this.goOn(request);
    if (this.random.chance(0.1)) {
      this.queue.after(this.random.below(8_000), () => {
        request.isGone = true;
        this.take(request, { type: 'client-gone' });
      });
    }
  }

  /** The gateway asks for echoes, and looks for late requests. */
  private look(): void {
    const { nowMs } = this.queue;
    for (const request of this.waiting) {
      if (request.holding.phase === 'over') this.waiting.delete(request);
      if (this.active === undefined) request.withoutActiveMs += LOOK_EVERY_MS;
      const isLate = deadlineOf(request.holding, this.variant.limits) <= nowMs;
      if (isLate || this.variant.decide !== REAL.decide) this.take(request, { type: 'time', nowMs });
    }
    this.active ??= this.apps.serving;
    for (const request of this.waiting) this.goOn(request);
    if (nowMs < BUSY_MS || this.waiting.size > 0) this.queue.after(LOOK_EVERY_MS, () => this.look());
  }

  private goOn(request: Request): void {
    if (this.active === undefined || request.holding.phase !== 'held') return;
    this.take(request, { type: 'active', process: this.active, nowMs: this.queue.nowMs });
  }

  private take(request: Request, input: HoldingInput): void {
    const { holding, effects } = this.variant.decide(request.holding, input, this.variant.limits);
    request.holding = holding;
    for (const effect of effects) this.perform(request, effect);
  }

  private perform(request: Request, effect: HoldingEffect): void {
    switch (effect.type) {
      case 'forward':
        this.forward(request, effect.key);
        return;
      case 'abort':
        if (request.current) this.apps.abort(request.current);
        request.current = undefined;
        return;
      case 'refuse':
      case 'tell-unknown':
        this.justify(request, effect.why);
        this.tell(request, effect.type === 'refuse' ? 'refused' : 'unknown');
        return;
      case 'cut-off':
        this.tell(request, 'cut-off');
    }
  }

  private forward(request: Request, key: string | undefined): void {
    const { content, isWrite } = request;
    if (request.isGone) throw new Violation(`${content} was sent for a client that is gone`);
    if (request.hasBytes) throw new Violation(`${content} was sent again after its client had got bytes`);
    if ((request.sendings += 1) > 1) this.meet('repeated');
    const ifCurrent = (task: () => void) => (): void => {
      if (request.current === sending) task();
    };
    const over = (type: 'lost' | 'not-active'): (() => void) =>
      ifCurrent(() => {
        request.current = undefined;
        this.active = undefined;
        this.take(request, { type, nowMs: this.queue.nowMs });
      });
    const sending: Sending = {
      ...{ content, key, isWrite },
      sent: ifCurrent(() => this.take(request, { type: 'sent' })),
      begins: ifCurrent(() => {
        request.hasBytes = true;
        this.take(request, { type: 'answer-begins' });
      }),
      answered: ifCurrent(() => {
        request.current = undefined;
        this.take(request, { type: 'answered' });
        this.tell(request, 'answered');
      }),
      lost: over('lost'),
      refused: over('not-active'),
    };
    request.current = sending;
    this.apps.receive(sending, this.active ?? 0);
  }

  /** An error is told only for one of the reasons that the design names. */
  private justify({ content, withoutActiveMs, arrivedMs }: Request, why: string): void {
    const { holdMs, activeMs } = REAL.limits;
    const activeForMs = this.queue.nowMs - arrivedMs - withoutActiveMs;
    if (why === 'held' && withoutActiveMs < holdMs - INEXACT_MS) {
      throw new Violation(`${content} was given up although nobody was active for only ${String(withoutActiveMs)} ms`);
    }
    if (why === 'slow' && activeForMs < activeMs - INEXACT_MS) {
      throw new Violation(`${content} was given up although active processes had only ${String(activeForMs)} ms`);
    }
  }

  private tell(request: Request, what: Situation): void {
    if (request.told !== undefined) throw new Violation(`${request.content} was answered twice`);
    request.told = what;
    this.meet(what);
  }

  private meet(situation: Situation): void {
    this.met.set(situation, (this.met.get(situation) ?? 0) + 1);
  }

  private audit({ content, isWrite, told, isGone, hasBytes }: Request): void {
    if (isGone) this.meet('gone');
    if (told === undefined && !isGone) throw new Violation(`${content} was never answered`);
    if (told === 'cut-off' && !hasBytes) throw new Violation(`${content} was cut off before its first byte`);
    const times = this.apps.done.get(content) ?? 0;
    if (times > 1) throw new Violation(`${content} was done ${String(times)} times`);
    if (isWrite && told === 'answered' && times !== 1)
      throw new Violation(`${content} was acknowledged and is missing`);
    if (told === 'refused' && times > 0) throw new Violation(`${content} was refused and is there`);
  }
}
