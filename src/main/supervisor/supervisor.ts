import type { LaunchedChild } from '../../platform/nodes/index.js';
import type { ChildState } from './managed-process-core.js';
import { begin, type ChildRules, decide, type SupervisorDecision, type SupervisorEffect } from './supervisor-core.js';
import type { SupervisorInput, SupervisorNotice, SupervisorState } from './supervisor-core.js';

export interface ChildToWatch extends ChildRules {
  launch(): LaunchedChild;
}

export interface SupervisorPorts {
  readonly children: Readonly<Record<string, ChildToWatch>>;
  /** Children that ran before this process: a refused start leaves them running. */
  readonly adopted?: ReadonlySet<string>;
  /** Runs `task` once after `delayMs`, unless the returned function is called first. */
  readonly after: (delayMs: number, task: () => void) => () => void;
  readonly notify: (notice: SupervisorNotice) => void;
  /** Told of each process that runs, until a stop. */
  readonly watch?: { launched(name: string, child: LaunchedChild): void; stop(): void };
}

/** What the supervisor itself knows about a process. */
export interface ChildView extends Pick<ChildState, 'phase' | 'deaths' | 'isGivenUp'> {
  /** Undefined unless it waits for its next start. */
  readonly nextStartAtMs: number | undefined;
}

export class Supervisor {
  /** Resolves with the exit code when no child is left: all are stopped, or one was given up. */
  readonly ended: Promise<number>;
  private state: SupervisorState | undefined;
  private readonly running = new Map<string, LaunchedChild>();
  private readonly alarms = new Map<string, () => void>();
  private readonly nextStartsAtMs = new Map<string, number>();
  private end: (exitCode: number) => void = () => undefined;

  constructor(private readonly ports: SupervisorPorts) {
    this.ended = new Promise((resolve) => (this.end = resolve));
  }

  start(): void {
    this.carryOut(begin(this.ports.children, this.ports.adopted));
  }

  /** Asks for a clean stop. A repeated call changes nothing. */
  stop(): void {
    this.handle({ kind: 'stop-requested' });
  }

  /** Undefined before the start, and for an unknown name. */
  child(name: string): ChildView | undefined {
    const child = this.state?.children[name];
    if (!child) return undefined;
    const { phase, deaths, isGivenUp } = child;
    return { phase, deaths, isGivenUp, nextStartAtMs: this.nextStartsAtMs.get(name) };
  }

  private handle(input: SupervisorInput): void {
    if (this.state) this.carryOut(decide(this.state, input));
  }

  private carryOut({ state, effects }: SupervisorDecision): void {
    const earlier = this.state?.children;
    if (state.phase !== 'up') this.ports.watch?.stop();
    this.state = state;
    for (const [name, { alarm }] of Object.entries(state.children)) {
      if (alarm === earlier?.[name]?.alarm) continue;
      this.alarms.get(name)?.();
      this.alarms.set(name, this.setAlarm(name, alarm));
    }
    for (const effect of effects) this.perform(effect);
  }

  private setAlarm(name: string, alarm: ChildState['alarm']): () => void {
    this.nextStartsAtMs.delete(name);
    if (!alarm) return () => undefined;
    if (alarm.input.kind === 'retry-due') this.nextStartsAtMs.set(name, performance.now() + alarm.afterMs);
    return this.ports.after(alarm.afterMs, () => {
      this.handle({ kind: 'child', name, input: alarm.input });
    });
  }

  private perform(effect: SupervisorEffect): void {
    switch (effect.kind) {
      case 'child':
        this.performOn(effect.name, effect.effect);
        break;
      case 'notify':
        this.ports.notify(effect.notice);
        break;
      case 'end':
        this.end(effect.exitCode);
        break;
    }
  }

  private performOn(name: string, { kind }: Extract<SupervisorEffect, { kind: 'child' }>['effect']): void {
    switch (kind) {
      case 'start':
        this.launch(name);
        break;
      case 'terminate':
        this.running.get(name)?.signal('SIGTERM');
        break;
      case 'kill':
        this.running.get(name)?.signal('SIGKILL');
        break;
    }
  }

  private launch(name: string): void {
    const child = this.ports.children[name]?.launch();
    if (!child) return;
    this.running.set(name, child);
    this.ports.watch?.launched(name, child);
    void child.ready.then((answer) => {
      if (!answer || this.running.get(name) !== child) return;
      this.handle({ kind: 'child', name, input: { kind: 'ready', ...answer } });
    });
    void child.exited.then((exit) => {
      this.handle({ kind: 'child', name, input: { kind: 'exited', exit } });
    });
  }
}
