import type { Timers } from '../../../src/kernel/index.js';
import { SagaRelay, type SagaEvent, type StepRecord } from '../../../src/protocols/saga/index.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { EventQueue } from '../replication/event-queue.js';
import { auditAtRest, auditFiles, missingRows } from './audit.js';
import { FaultyFile, type Faults, NO_FAULTS } from './faulty-file.js';
import { copyOf, emptyState, type FileState, type Purchase } from './shop-model.js';
import { type FileWorld, SimulatedFile } from './simulated-file.js';
import { REAL, type Variant } from './variant.js';

export const SITUATIONS = [
  ...(['completed', 'refused', 'died', 'parked', 'superseded', 'refused batch_init', 'credit-held', 'stray'] as const),
];
type Situation = (typeof SITUATIONS)[number];

export interface Result {
  /** Undefined when every promise held. */
  readonly violation: string | undefined;
  readonly met: ReadonlyMap<Situation, number>;
}

class Violation extends Error {}
const DIED = new Error('the process has died');

const NAMES = ['orders', 'payment', 'stock'] as const;
type Name = (typeof NAMES)[number];
const BUSY_MS = 3_000;
const QUIET_MS = 60_000;
/** Longer than a parked event needs, unless it is late. */
const TRIED_WITHIN_MS = 50;
const SILENT = { info: () => undefined, warn: () => undefined };

/** The line that repeats a failed run. */
export function describeFailure(seed: number, violation: string): string {
  return `seed ${String(seed)}: ${violation}. Replay: npm run simulate -- --protocol saga --seed ${String(seed)}`;
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

class World implements FileWorld {
  readonly met = new Map<Situation, number>();
  readonly random: SeededRandom;
  faults: Faults;
  private readonly queue = new EventQueue();
  private readonly answers = new Map<number, { readonly state: 'completed' | 'refused'; readonly reason: unknown }>();
  private readonly begunOnce = new Set<number>();
  private readonly durableFiles: Record<Name, FileState>;
  private readonly full = new Set<string>();
  private olderCopy: { readonly name: Name; readonly state: FileState } | undefined;
  private dieChance: number;
  private life = 0;
  private isDead = false;
  private isGateShut = false;
  private ids = 0;
  private files!: Record<Name, SimulatedFile>;
  private relay!: SagaRelay;

  constructor(
    seed: number,
    readonly variant: Variant,
  ) {
    this.random = new SeededRandom(seed);
    const { random } = this;
    const upTo = (max: number): number => (random.chance(0.5) ? random.fraction() * max : 0);
    this.faults = { lossChance: upTo(0.3), lateChance: upTo(0.5), repeatChance: upTo(0.4), strayChance: upTo(0.1) };
    this.dieChance = upTo(0.02);
    this.durableFiles = { orders: emptyState(), payment: emptyState(), stock: emptyState() };
    this.fill();
  }

  nowMs(): number {
    return this.queue.nowMs;
  }

  run(): void {
    const { queue, random } = this;
    this.start();
    for (let times = 6 + random.below(10); times > 0; times -= 1) this.checkOutAt(random.below(BUSY_MS));
    if (random.chance(0.4)) this.fillDisks();
    for (let atMs = 500; atMs < BUSY_MS; atMs += 500) {
      queue.after(atMs, () => {
        this.inProcess(() => void this.relay.drain());
      });
    }
    if (random.chance(0.5)) for (let times = 5; times > 0; times -= 1) this.batchInitAt(random.below(BUSY_MS));
    this.copyAt(random.below(BUSY_MS));
    queue.runUntil(BUSY_MS);
    this.calm();
    queue.runUntil(BUSY_MS + QUIET_MS);
    this.inProcess(() => void this.relay.drain());
    queue.runUntil(BUSY_MS + 2 * QUIET_MS);
    this.judge(auditAtRest(this.durableFiles));
    if (this.met.has('stray')) return;
    this.assertOneTime();
    this.compare();
  }

  after(delayMs: number, task: () => void): () => void {
    const { life } = this;
    let isCancelled = false;
    this.queue.after(delayMs, () => {
      if (!isCancelled && life === this.life) this.inProcess(task);
    });
    return () => {
      isCancelled = true;
    };
  }

  mayDie(): void {
    if (this.random.chance(this.dieChance)) {
      this.die();
      throw DIED;
    }
  }

  isFull(name: string): boolean {
    return this.full.has(name);
  }

  durable(name: Name, state: FileState): void {
    this.durableFiles[name] = state;
    this.judge(auditFiles(this.durableFiles, this.answers));
  }

  private fill(): void {
    const { random, durableFiles } = this;
    for (let index = 0; index < 3; index += 1) {
      const credit = random.below(8);
      durableFiles.payment.accounts.set(`user-${index}`, { credit, held: 0, charged: 0, funded: credit });
    }
    for (let index = 0; index < 2; index += 1) {
      const stock = random.below(6);
      durableFiles.stock.items.set(`item-${index}`, { stock, sold: 0, delivered: stock });
    }
    for (let index = 0; index < 8; index += 1) {
      durableFiles.orders.orders.set(`order-${index}`, { state: 'open', saga: undefined });
    }
  }

  private start(): void {
    this.isDead = false;
    this.isGateShut = false;
    const { random, variant } = this;
    if (!this.met.has('stray')) {
      this.assertOneTime();
    }
    this.files = Object.fromEntries(
      NAMES.map((name) => [name, new SimulatedFile(name, this.durableFiles[name], this)]),
    ) as Record<Name, SimulatedFile>;
    const timers: Timers = { after: (delayMs, task) => this.after(delayMs, task) };
    const crashSites = {
      reach: () => {
        this.mayDie();
      },
    };
    // The wall clock jumps.
    const clock = { nowMs: () => this.queue.nowMs + (random.chance(0.1) ? random.below(100_000) - 50_000 : 0) };
    const links = NAMES.map((name) => new FaultyFile(this.files[name], this.link()));
    const ports = { timers, clock, random, crashSites, log: SILENT, deliveryDelayMs: 0 };
    this.relay = new SagaRelay(ports, variant.definition, links);
    this.inProcess(() => {
      void this.relay.start(({ number }) => this.files.orders.view.superseded.has(number));
    });
  }

  private link() {
    const { variant, random } = this;
    const faults = (): Faults => this.faults;
    return {
      ...{ variant, random, files: Object.values(this.files) },
      get faults() {
        return faults();
      },
      after: (delayMs: number, task: () => void) => this.after(delayMs, task),
      isFirst: ({ saga, name }: SagaEvent) => {
        const isFirst = name === 'checkout-started' && !this.begunOnce.has(saga.number);
        this.begunOnce.add(saga.number);
        return isFirst;
      },
      strayed: () => {
        this.meet('stray');
      },
      ended: (record: StepRecord) => {
        this.answer(record);
      },
    };
  }

  private answer({ saga, event, data }: StepRecord): void {
    if (this.files.orders.view.superseded.has(saga.number)) return;
    const state = this.variant.definition.endOf(event)!;
    const before = this.answers.get(saga.number);
    if (before !== undefined && before.state !== state) throw new Violation(`P2: saga ${saga.number} has ended twice`);
    if (before === undefined) this.meet(state);
    if (data['reason'] === 'credit-held') this.meet('credit-held');
    this.answers.set(saga.number, { state, reason: data['reason'] });
    this.judge(auditFiles(this.durableFiles, this.answers));
  }

  private checkOutAt(atMs: number): void {
    const { random } = this;
    const lines = [...this.durableFiles.stock.items.keys()]
      .filter(() => random.chance(0.7))
      .map((item): [string, number] => [item, 1 + random.below(2)]);
    const purchase: Purchase = {
      ...{ order: `order-${random.below(8)}`, user: `user-${random.below(3)}`, lines },
      total: lines.reduce((sum, [, quantity]) => sum + quantity, 0),
    };
    this.queue.after(atMs, () => {
      this.inProcess(() => {
        this.checkOut(purchase);
      });
    });
  }

  private checkOut(purchase: Purchase): void {
    if (this.isGateShut) return;
    const { orders } = this.files;
    this.ids += 1;
    const id = `saga-${this.ids}`;
    orders.run(
      (state) => {
        if (state.orders.get(purchase.order)?.state !== 'open') return undefined;
        const number = 1 + Math.max(0, ...state.rows.keys());
        state.orders.set(purchase.order, { state: 'checking-out', saga: number });
        return orders.begin(state, { number, id }, purchase);
      },
      (record) => {
        if (record !== undefined) this.relay.begun(record);
      },
      () => undefined,
    );
  }

  private fillDisks(): void {
    const { random, queue } = this;
    for (const name of NAMES) {
      if (random.chance(0.5)) continue;
      const fromMs = random.below(BUSY_MS);
      queue.after(fromMs, () => {
        this.full.add(name);
      });
      queue.after(fromMs + random.below(BUSY_MS), () => {
        this.full.delete(name);
      });
    }
  }

  /**
   * As `batch_init` does: shuts the gate, gives each parked saga a try, and when the relay lets it, replaces orders in several
   * commits. A checkout whose order is replaced ends as superseded in the same commit.
   */
  private batchInitAt(atMs: number): void {
    this.queue.after(atMs, () => {
      this.inProcess(() => {
        if (this.isGateShut || this.relay.underWay > 0) return;
        this.isGateShut = true;
        void this.relay.drain();
        this.after(TRIED_WITHIN_MS, () => {
          this.replaceOrders();
        });
      });
    });
  }

  private replaceOrders(): void {
    const { relay, variant } = this;
    if (relay.parked.length > 0) this.meet('parked');
    const pause = variant.pausesToReplace ? relay.pause() : { goOn: () => undefined };
    if ('goOn' in pause) this.replaceNext([...this.files.orders.view.orders.keys()], pause.goOn);
    else {
      if (pause.blockedBy.state === 'parked') this.meet('refused batch_init');
      this.isGateShut = false;
    }
  }

  private replaceNext(names: readonly string[], done: () => void): void {
    const [name, ...others] = names;
    if (name === undefined) {
      this.isGateShut = false;
      done();
      return;
    }
    const { orders } = this.files;
    const again = (left: readonly string[]) => (): void => {
      this.after(this.random.below(20), () => {
        this.replaceNext(left, done);
      });
    };
    orders.run(
      (state) => {
        const { saga, state: was } = state.orders.get(name)!;
        if (was === 'checking-out') state.superseded.add(saga!);
        // A paid order stays, so that the audit finds what was answered.
        if (was !== 'paid') state.orders.set(name, { state: 'open', saga: undefined });
        return was === 'checking-out';
      },
      (isSuperseded) => {
        if (isSuperseded) this.meet('superseded');
        again(others)();
      },
      again(names),
    );
  }

  private copyAt(atMs: number): void {
    const name = NAMES[this.random.below(NAMES.length)]!;
    this.queue.after(atMs, () => {
      this.olderCopy = { name, state: copyOf(this.durableFiles[name]) };
    });
  }

  private assertOneTime(): void {
    const missing = missingRows(this.durableFiles, this.variant.definition);
    if (missing !== undefined) throw new Violation(`the comparison refuses files of one time: ${missing}`);
  }

  /** An older copy of a file that lacks a step of a saga is noticed. */
  private compare(): void {
    const { name, state } = this.olderCopy!;
    const { superseded } = this.durableFiles.orders;
    const isOlder = [...this.durableFiles[name].rows].some(
      ([number, rows]) => !superseded.has(number) && rows.length > (state.rows.get(number)?.length ?? 0),
    );
    const missing = missingRows({ ...this.durableFiles, [name]: state }, this.variant.definition);
    if (isOlder && !missing?.startsWith(`${name} lacks`)) {
      throw new Violation(`an older copy of ${name} is put back, and the comparison finds ${String(missing)}`);
    }
  }

  private calm(): void {
    this.dieChance = 0;
    this.full.clear();
    this.faults = NO_FAULTS;
  }

  private die(): void {
    this.meet('died');
    this.life += 1;
    this.isDead = true;
    this.queue.after(1 + this.random.below(200), () => {
      this.start();
    });
  }

  /** What happens in the process ends with its death. */
  private inProcess(task: () => void): void {
    if (this.isDead) return;
    try {
      task();
    } catch (error) {
      if (error !== DIED) throw error;
    }
  }

  private meet(situation: Situation): void {
    this.met.set(situation, (this.met.get(situation) ?? 0) + 1);
  }

  private judge(problem: string | undefined): void {
    if (problem !== undefined) throw new Violation(problem);
  }
}
