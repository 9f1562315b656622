import { type AppExit, begin, decide, type Decision, type Effect, type Input, type Notice } from './core.js';
import type { SupervisorState } from './core.js';

/** One started child. */
export interface LaunchedApp {
  /** Resolves with its address once it answers that it is ready; with undefined when it ended before that. */
  readonly ready: Promise<{ readonly pid: number; readonly url: string } | undefined>;
  /** Resolves when the process is gone. Never rejects. */
  readonly exited: Promise<AppExit>;
  /** No error when it is gone. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void;
}

export interface SupervisorPorts {
  readonly launch: () => LaunchedApp;
  /** Runs `task` once after `delayMs`, unless the returned function is called before. */
  readonly after: (delayMs: number, task: () => void) => () => void;
  readonly tell: (notice: Notice) => void;
}

/** Does what the core decides, one input after the other. */
export class Supervisor {
  /** Resolves with the exit code when there is nothing left to watch: the app is stopped or was given up. */
  readonly ended: Promise<number>;
  private state: SupervisorState | undefined;
  private app: LaunchedApp | undefined;
  private cancelAlarm: () => void = () => undefined;
  private end: (exitCode: number) => void = () => undefined;

  constructor(private readonly ports: SupervisorPorts) {
    this.ended = new Promise((resolve) => (this.end = resolve));
  }

  start(): void {
    this.carryOut(begin());
  }

  /** Asks for a clean stop. Asking again changes nothing. */
  stop(): void {
    this.handle({ kind: 'stop-requested' });
  }

  private handle(input: Input): void {
    if (this.state) this.carryOut(decide(this.state, input));
  }

  private carryOut({ state, effects }: Decision): void {
    const earlier = this.state?.alarm;
    this.state = state;
    if (state.alarm !== earlier) {
      this.cancelAlarm();
      this.cancelAlarm = this.setAlarm(state.alarm);
    }
    for (const effect of effects) this.perform(effect);
  }

  private setAlarm(alarm: SupervisorState['alarm']): () => void {
    if (!alarm) return () => undefined;
    return this.ports.after(alarm.afterMs, () => {
      this.handle(alarm.input);
    });
  }

  private perform(effect: Effect): void {
    switch (effect.kind) {
      case 'start-app':
        this.launch();
        break;
      case 'terminate-app':
        this.app?.signal('SIGTERM');
        break;
      case 'kill-app':
        this.app?.signal('SIGKILL');
        break;
      case 'tell':
        this.ports.tell(effect.notice);
        break;
      case 'end':
        this.end(effect.exitCode);
        break;
    }
  }

  private launch(): void {
    const app = this.ports.launch();
    this.app = app;
    void app.ready.then((answer) => {
      if (answer && this.app === app) this.handle({ kind: 'ready', ...answer });
    });
    void app.exited.then((exit) => {
      this.handle({ kind: 'exited', exit });
    });
  }
}
