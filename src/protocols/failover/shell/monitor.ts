import type { Timers } from '../../../kernel/index.js';
import {
  begin,
  decide,
  type Health,
  type MonitorEffect,
  type MonitorNews,
  type MonitorState,
  type Rules,
  type Verdict,
} from '../core/monitor.js';
import type { Takeover } from '../core/takeover.js';
import type { Echo } from '../echo.js';

export interface MonitorPorts {
  /** A monotonic clock. */
  nowMs(): number;
  readonly timers: Timers;
  /** Asks the process once for its echo. Calls `answered` once, with undefined when no echo came; never throws. */
  ask(name: string, pid: number, answered: (echo: Echo | undefined) => void): void;
  /** Compares pid, start time and, with `needsLock`, the holder of the lock. */
  check(name: string, pid: number, needsLock: boolean): Verdict;
  /** SIGKILL, if the process still runs. The monitor is told of its end by `exited`. */
  kill(name: string, pid: number): void;
  changed(change: HealthChange): void;
  takenOver(takeover: Takeover): void;
}

export interface HealthChange {
  readonly name: string;
  readonly from: Health;
  readonly to: Health;
  readonly reason: string | undefined;
}

/** While no app serves, the next one is asked so often, because the takeover lasts until its answer is known. */
const PING_IN_A_TAKEOVER_MS = 25;

/** Asks every process for its echo each `pingMs`, and does what the core decides. */
export class FailoverMonitor {
  private current: MonitorState;
  /** The pids that were asked and have not answered yet. */
  private readonly asked = new Set<number>();
  private endTimer: () => void = () => undefined;

  constructor(
    private readonly ports: MonitorPorts,
    rules: Readonly<Record<string, Rules>>,
    pingMs: number,
  ) {
    this.current = begin(rules, pingMs, ports.nowMs());
  }

  get state(): MonitorState {
    return this.current;
  }

  start(): void {
    this.endTimer();
    this.tickLater();
  }

  launched(name: string, pid: number): void {
    this.give({ kind: 'launched', name, pid });
    this.ask(name, pid);
  }

  exited(name: string, pid: number): void {
    this.give({ kind: 'exited', name, pid });
    this.asked.delete(pid);
    if (this.isTakeover()) this.start();
  }

  /** `reason`: why the process is not ready; undefined when it is. */
  readiness(name: string, pid: number, reason: string | undefined): void {
    this.give({ kind: 'readiness', name, pid, reason });
  }

  /** Processes end by themselves from here on. */
  stop(): void {
    this.endTimer();
    this.give({ kind: 'stop-requested' });
  }

  private isTakeover(): boolean {
    return this.current.underWay !== undefined && this.current.active === undefined;
  }

  private tickLater(): void {
    const afterMs = this.isTakeover() ? PING_IN_A_TAKEOVER_MS : this.current.pingMs;
    this.endTimer = this.ports.timers.after(afterMs, () => {
      this.give({ kind: 'tick' });
      for (const [name, { pid }] of Object.entries(this.current.processes)) if (pid !== undefined) this.ask(name, pid);
      if (!this.current.isStopping) this.tickLater();
    });
  }

  private ask(name: string, pid: number): void {
    if (this.asked.has(pid)) return;
    this.asked.add(pid);
    this.ports.ask(name, pid, (echo) => {
      this.asked.delete(pid);
      if (echo) this.give({ kind: 'echoed', name, pid, echo });
    });
  }

  private give(news: MonitorNews): void {
    const { state, effects } = decide(this.current, { ...news, atMs: this.ports.nowMs() });
    this.current = state;
    for (const effect of effects) this.perform(effect);
  }

  private perform(effect: MonitorEffect): void {
    const { ports } = this;
    switch (effect.kind) {
      case 'check': {
        const { name, pid, needsLock } = effect;
        this.give({ kind: 'checked', name, pid, verdict: ports.check(name, pid, needsLock) });
        break;
      }
      case 'kill':
        ports.kill(effect.name, effect.pid);
        break;
      case 'changed':
        ports.changed(effect);
        break;
      case 'taken-over':
        ports.takenOver(effect.takeover);
        break;
    }
  }
}
