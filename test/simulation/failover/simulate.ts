import type { Echo } from '../../../src/protocols/failover/index.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { EventQueue } from '../replication/event-queue.js';
import { SharedDirectory } from './shared-directory.js';
import { type AppWorld, SimulatedApp } from './simulated-app.js';
import { DEAD_AFTER_MS, SimulatedSupervisor, type SupervisorWorld } from './simulated-supervisor.js';
import { REAL, type Variant } from './variant.js';

export const SITUATIONS = [
  ...(['taken-over', 'hung', 'died', 'held-monitor', 'new-monitor', 'slow-disk', 'lost-lock', 'superseded'] as const),
];
type Situation = (typeof SITUATIONS)[number];

export interface Result {
  /** Undefined when every promise held. */
  readonly violation: string | undefined;
  readonly met: ReadonlyMap<Situation, number>;
}

class Violation extends Error {}

const NAMES = ['A', 'B'] as const;
const BUSY_MS = 40_000;
const CALM_MS = 150_000;
const WRITES = 60;
const MAX_NETWORK_MS = 20;
const REPEAT_AFTER_MS = 700;

/** The line that repeats a failed run. */
export function describeFailure(seed: number, violation: string): string {
  return `seed ${String(seed)}: ${violation}. Replay: npm run simulate -- --protocol failover --seed ${String(seed)}`;
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

/** Two apps on one directory, their supervisor, and clients that repeat a write under its key until it is answered. */
class World implements AppWorld, SupervisorWorld {
  readonly met = new Map<Situation, number>();
  readonly queue = new EventQueue();
  readonly directory: SharedDirectory;
  private readonly random: SeededRandom;
  private readonly apps = new Map<string, SimulatedApp>();
  private readonly acknowledged = new Set<number>();
  private supervisor: SimulatedSupervisor | undefined;
  private pids = 0;
  private diskMs = 5;
  private isLockLost = false;

  constructor(
    seed: number,
    private readonly variant: Variant,
  ) {
    this.random = new SeededRandom(seed);
    this.directory = new SharedDirectory(variant.commitsWithEpoch);
  }

  get echoesWithoutDisk(): boolean {
    return this.variant.echoesWithoutDisk;
  }

  get waitsForOpenings(): boolean {
    return this.variant.waitsForOpenings;
  }

  get mindsItsOwnPauses(): boolean {
    return this.variant.mindsItsOwnPauses;
  }

  run(): void {
    const { queue, random } = this;
    this.supervisor = new SimulatedSupervisor(this, NAMES);
    for (let key = 1; key <= WRITES; key += 1) {
      queue.after(random.below(BUSY_MS), () => {
        this.send(key);
      });
    }
    for (let faults = 2 + random.below(8); faults > 0; faults -= 1) {
      queue.after(1_000 + random.below(BUSY_MS), () => {
        this.fault();
      });
    }
    queue.runUntil(BUSY_MS + CALM_MS);
    this.auditAtRest();
  }

  after(app: SimulatedApp, delayMs: number, task: () => void): void {
    this.queue.after(delayMs, () => {
      if (!app.isAlive) return;
      if (app.isHeld) {
        this.after(app, 50, task);
        return;
      }
      task();
      if (!app.isAlive) this.end(app, 'superseded');
      this.auditNow();
    });
  }

  nowMs(): number {
    return this.queue.nowMs;
  }

  duration(step: Parameters<AppWorld['duration']>[0]): number {
    const { random } = this;
    const upTo = (usual: number, seldom: number): number => random.below(random.chance(0.2) ? seldom : usual);
    switch (step) {
      case 'start':
        return 200 + upTo(1_000, 20_000);
      case 'opening':
        return 10 + upTo(500, 20_000);
      case 'computing':
        return upTo(50, 8_000);
      case 'read':
        return 1 + random.below(5);
      case 'disk':
        return this.diskMs;
    }
  }

  launch(name: string): number {
    const app = new SimulatedApp(name, (this.pids += 1), this);
    this.apps.set(name, app);
    return app.pid;
  }

  runningPid(name: string): number | undefined {
    const app = this.apps.get(name);
    return app?.isAlive === true ? app.pid : undefined;
  }

  ask(name: string, pid: number, answered: (echo: Echo | undefined) => void): void {
    const app = this.apps.get(name);
    const answer = (echo: Echo | undefined): void => {
      this.queue.after(this.random.below(MAX_NETWORK_MS), () => {
        answered(echo);
      });
    };
    const isReached = app?.pid === pid && app.isAlive && app.hasStarted;
    if (!isReached) {
      answer(undefined);
      return;
    }
    this.after(app, this.random.below(MAX_NETWORK_MS), () => {
      // What computes answers when it is done; what waits for a disk answers when that is done.
      const whenAble = (): void => {
        const echo = app.echo();
        if (echo) answer(echo);
        else this.after(app, 20, whenAble);
      };
      whenAble();
    });
  }

  check(name: string, pid: number, needsLock: boolean): ReturnType<SupervisorWorld['check']> {
    if (this.runningPid(name) !== pid) return 'gone';
    return needsLock && !this.directory.isHeldBy(pid) ? 'lock-is-free' : 'agrees';
  }

  kill(name: string, pid: number): void {
    const app = this.apps.get(name);
    if (app?.pid !== pid || !app.isAlive) return;
    // A replay is silent for a while. A standby that replays beside an active is one too many.
    const isExcused =
      (app.isComputing && this.isLockLost) ||
      this.queue.nowMs - app.continuedAtMs < (app.isComputing ? 30 : 2) * DEAD_AFTER_MS;
    this.judge(app.isHeld || isExcused ? undefined : `${name} was killed, and nobody had held it`);
    // The system takes its time.
    this.queue.after(this.random.below(100), () => {
      if (app.isAlive) this.end(app);
    });
  }

  changed({ to }: Parameters<SupervisorWorld['changed']>[0]): void {
    if (to === 'dead' && !this.variant.killsBeforePromotion) this.directory.fail();
  }

  takenOver({ cause, restoredAtMs }: Parameters<SupervisorWorld['takenOver']>[0]): void {
    if (restoredAtMs !== undefined) return;
    this.meet('taken-over');
    this.meet(cause);
  }

  private fault(): void {
    const { random, queue } = this;
    const app = this.apps.get(NAMES[random.below(2)]!);
    const durationMs = random.below(8_000);
    switch (random.below(7)) {
      case 0:
        if (app?.isAlive) this.end(app);
        break;
      case 1:
      case 2:
        if (app?.isAlive) this.hold(app, durationMs);
        break;
      case 3:
        this.meet('held-monitor');
        this.holdSupervisor(durationMs);
        break;
      case 4:
        this.replaceSupervisor(durationMs);
        break;
      case 5:
        this.meet('slow-disk');
        this.diskMs = 3_000;
        queue.after(durationMs, () => (this.diskMs = 5));
        break;
      case 6:
        this.meet('lost-lock');
        this.isLockLost = true;
        this.directory.fail();
        break;
    }
  }

  private hold(app: SimulatedApp, durationMs: number): void {
    app.isHeld = true;
    this.queue.after(durationMs, () => {
      app.isHeld = false;
      app.continuedAtMs = this.queue.nowMs;
    });
  }

  private holdSupervisor(durationMs: number): void {
    const { supervisor } = this;
    supervisor?.hold();
    this.queue.after(durationMs, () => supervisor?.continue());
  }

  private replaceSupervisor(afterMs: number): void {
    if (!this.supervisor?.isAlive) return;
    this.supervisor.isAlive = false;
    this.queue.after(afterMs, () => {
      this.meet('new-monitor');
      this.supervisor = new SimulatedSupervisor(this, NAMES);
    });
  }

  /** The lock ends with the process. */
  private end(app: SimulatedApp, as?: Situation): void {
    app.isAlive = false;
    this.directory.release(app.pid);
    if (as) this.meet(as);
    const { supervisor } = this;
    this.queue.after(1, () => supervisor?.exited(app.name, app.pid));
  }

  private send(key: number): void {
    if (this.acknowledged.has(key)) return;
    this.queue.after(REPEAT_AFTER_MS, () => {
      this.send(key);
    });
    const open = [...this.apps.values()].filter(({ isOpen }) => isOpen);
    open[this.random.below(open.length)]?.add(key, () => {
      this.acknowledged.add(key);
    });
  }

  private auditNow(): void {
    const { keys, sum } = this.directory;
    this.judge(sum === keys.size ? undefined : `${keys.size} writes took effect, and the sum is ${sum}`);
    const lost = [...this.acknowledged].find((key) => !keys.has(key));
    this.judge(lost === undefined ? undefined : `the acknowledged write ${lost} is lost`);
    const active = [...this.apps.values()].filter(({ isActive }) => isActive);
    this.judge(active.length > 1 && !this.isLockLost ? 'two processes are active' : undefined);
  }

  private auditAtRest(): void {
    const states = [...this.apps.values()].map(({ isOpen, isWaiting }) =>
      isOpen ? 'open' : isWaiting ? 'waits' : '?',
    );
    const isWhole = states.includes('open') && states.includes('waits');
    // After a lock that said yes twice, both may serve until the one of the older epoch is asked to write.
    this.judge(isWhole || this.isLockLost ? undefined : `in the end the apps are: ${states.join(', ')}`);
    const left = WRITES - this.acknowledged.size;
    this.judge(left === 0 ? undefined : `${left} writes were never answered`);
  }

  private judge(violation: string | undefined): void {
    if (violation !== undefined) throw new Violation(`${violation} (at ${this.queue.nowMs} ms)`);
  }

  private meet(situation: Situation): void {
    this.met.set(situation, (this.met.get(situation) ?? 0) + 1);
  }
}
