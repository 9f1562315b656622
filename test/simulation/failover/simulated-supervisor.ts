import type { Echo } from '../../../src/protocols/failover/index.js';
import { FailoverMonitor, type MonitorPorts, type Rules } from '../../../src/protocols/failover/index.js';
import type { EventQueue } from '../replication/event-queue.js';

export const PING_MS = 250;
export const DEAD_AFTER_MS = 1_000;

export interface SupervisorWorld extends Pick<MonitorPorts, 'check' | 'kill' | 'changed' | 'takenOver'> {
  readonly queue: EventQueue;
  ask(name: string, pid: number, answered: (echo: Echo | undefined) => void): void;
  /** Starts a process; returns its pid. */
  launch(name: string): number;
  /** The pid of the process that an earlier supervisor left running. */
  runningPid(name: string): number | undefined;
  readonly waitsForOpenings: boolean;
  readonly mindsItsOwnPauses: boolean;
}

const RESTART_AFTER_MS = 1_000;

/** The process of the monitor: it adopts or starts both apps, restarts what ends, and may be held or die itself. */
export class SimulatedSupervisor {
  isAlive = true;
  private isHeld = false;
  private readonly missed: (() => void)[] = [];
  private readonly monitor: FailoverMonitor;

  constructor(
    private readonly world: SupervisorWorld,
    names: readonly string[],
  ) {
    const rules = Object.fromEntries(names.map((name) => [name, this.rules()]));
    this.monitor = new FailoverMonitor(this.ports(), rules, PING_MS);
    for (const name of names) {
      const pid = world.runningPid(name);
      if (pid === undefined) this.launch(name);
      else this.monitor.launched(name, pid);
    }
    this.monitor.start();
  }

  exited(name: string, pid: number): void {
    this.run(() => {
      this.monitor.exited(name, pid);
      this.world.queue.after(RESTART_AFTER_MS, () => {
        this.run(() => {
          this.launch(name);
        });
      });
    });
  }

  hold(): void {
    this.isHeld = true;
  }

  /** What was due meanwhile comes in the order of its time, the timers before the answers. */
  continue(): void {
    this.isHeld = false;
    for (const task of this.missed.splice(0)) this.run(task);
  }

  private launch(name: string): void {
    this.monitor.launched(name, this.world.launch(name));
  }

  private run(task: () => void): void {
    if (!this.isAlive) return;
    if (this.isHeld) this.missed.push(task);
    else task();
  }

  private ports(): MonitorPorts {
    const { world } = this;
    return {
      // A clock that stands still while its process is held is no monotonic one.
      nowMs: () => world.queue.nowMs,
      timers: {
        after: (delayMs, task) => {
          let isCancelled = false;
          const due = (): void => {
            if (!isCancelled) task();
          };
          world.queue.after(delayMs, () => {
            if (this.isHeld && this.isAlive) this.missed.unshift(this.late(due));
            else this.run(due);
          });
          return () => {
            isCancelled = true;
          };
        },
      },
      ask: (name, pid, answered) => {
        world.ask(name, pid, (echo) => {
          this.run(() => {
            answered(echo);
          });
        });
      },
      check: (name, pid, needsLock) => world.check(name, pid, needsLock),
      kill: (name, pid) => {
        world.kill(name, pid);
      },
      changed: (change) => {
        world.changed(change);
      },
      takenOver: (takeover) => {
        world.takenOver(takeover);
      },
    };
  }

  /** The planted bug: the monitor makes up for all ticks that it has missed, before it hears an answer. */
  private late(due: () => void): () => void {
    if (this.world.mindsItsOwnPauses) return due;
    return () => {
      for (let times = DEAD_AFTER_MS / PING_MS; times > 0; times -= 1) this.countPing();
      due();
    };
  }

  private countPing(): void {
    const state = this.monitor.state as { tickAtMs: number };
    state.tickAtMs = this.world.queue.nowMs - PING_MS;
    (this.monitor as unknown as { give(news: object): void }).give({ kind: 'tick' });
  }

  private rules(): Rules {
    const openingWithinMs = this.world.waitsForOpenings ? 15 * DEAD_AFTER_MS : DEAD_AFTER_MS;
    return { isApp: true, patience: { deadAfterMs: DEAD_AFTER_MS, openingWithinMs, startWithinMs: 60_000 } };
  }
}
