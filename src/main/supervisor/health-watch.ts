import { type LaunchedChild, readRunFile, runStateOf } from '../../platform/nodes/index.js';
import { NodeClient } from '../../platform/node-client/index.js';
import { DataDirectoryLock, monotonicMs, systemTimers } from '../../platform/process/index.js';
import {
  type Echo,
  ECHO_PATH,
  echoOf,
  FailoverMonitor,
  type HealthChange,
  type MonitorState,
  type Rules,
  type Takeover,
  type Verdict,
} from '../../protocols/failover/index.js';
import type { ProcessDescription, Watching } from './process-kind.js';

type WatchedProcess = Pick<ProcessDescription, 'watching' | 'noteFiles' | 'runFile' | 'lockedDirectory' | 'probe'>;

export interface HealthWatchOptions {
  readonly pingMs: number;
  readonly deadAfterMs: number;
  readonly changed: (change: HealthChange) => void;
  readonly takenOver: (takeover: Takeover) => void;
}

const OPENING_TIMES = 15;
const START_TIMES = 120;
const READINESS_EVERY_MS = 1_000;
const MAX_ECHO_BYTES = 4_096;

/** The monitor over real processes: asks them by HTTP, and looks at their pids, start times and locks before it has one killed. */
export class HealthWatch {
  private readonly monitor: FailoverMonitor;
  private readonly running = new Map<string, LaunchedChild>();
  private readonly urls = new Map<number, string>();
  private readonly client = new NodeClient({ maxAnswerBytes: MAX_ECHO_BYTES });
  private hasEnded = false;

  constructor(
    private readonly processes: ReadonlyMap<string, WatchedProcess>,
    private readonly options: HealthWatchOptions,
  ) {
    const rules = [...processes].flatMap(([name, { watching }]) => (watching ? [[name, this.rulesOf(watching)]] : []));
    this.monitor = new FailoverMonitor(
      {
        nowMs: monotonicMs,
        timers: systemTimers,
        ask: (name, pid, answered) => void this.ask(name, pid).then(answered),
        check: (name, pid, needsLock) => this.check(name, pid, needsLock),
        kill: (name) => this.running.get(name)?.signal('SIGKILL'),
        changed: options.changed,
        takenOver: options.takenOver,
      },
      Object.fromEntries(rules) as Readonly<Record<string, Rules>>,
      options.pingMs,
    );
  }

  get state(): MonitorState {
    return this.monitor.state;
  }

  start(): void {
    this.monitor.start();
    this.lookAtReadiness();
  }

  /** A process was started, or one that ran before was adopted. */
  launched(name: string, child: LaunchedChild): void {
    const { pid } = child;
    if (pid === undefined || this.state.processes[name] === undefined) return;
    this.running.set(name, child);
    this.monitor.launched(name, pid);
    void child.exited.then(() => {
      this.urls.delete(pid);
      this.monitor.exited(name, pid);
    });
  }

  /** What ends from here on was asked to. */
  stop(): void {
    this.hasEnded = true;
    this.monitor.stop();
    this.client.close();
  }

  /** Where the process answers; undefined until it has noted that. */
  urlOf(name: string): string | undefined {
    const pid = this.state.processes[name]?.pid;
    return pid === undefined ? undefined : (this.urls.get(pid) ?? this.notedUrl(name, pid));
  }

  private rulesOf({ isApp, deadAfterTimes }: Watching): Rules {
    const deadAfterMs = this.options.deadAfterMs * deadAfterTimes;
    const openingWithinMs = Math.max(deadAfterMs, this.options.deadAfterMs * OPENING_TIMES);
    const startWithinMs = this.options.deadAfterMs * START_TIMES;
    return { isApp, patience: { deadAfterMs, openingWithinMs, startWithinMs } };
  }

  private async ask(name: string, pid: number): Promise<Echo | undefined> {
    // A promoted standby moves to another address, and notes it.
    const url = this.urls.get(pid) ?? this.notedUrl(name, pid);
    if (url === undefined) return undefined;
    try {
      const call = { method: 'GET', path: ECHO_PATH, isRepeatable: true } as const;
      const { status, body } = await this.client.call(url, call, this.options.deadAfterMs);
      const echo = status === 200 ? echoOf(JSON.parse(body.toString()), pid) : undefined;
      if (echo) this.urls.set(pid, url);
      else this.urls.delete(pid);
      return echo;
    } catch {
      const noted = this.notedUrl(name, pid);
      if (noted !== undefined) this.urls.set(pid, noted);
      return undefined;
    }
  }

  private notedUrl(name: string, pid: number): string | undefined {
    const { runFile, noteFiles = runFile && [runFile] } = this.processes.get(name) ?? {};
    const notes = noteFiles?.map(({ path }) => readRunFile(path));
    return notes?.find((note) => note?.pid === pid)?.url;
  }

  private check(name: string, pid: number, needsLock: boolean): Verdict {
    const child = this.running.get(name);
    if (child?.pid !== pid || !child.isRunning()) return 'gone';
    const state = runStateOf(pid);
    if (state === 'waits-for-disk') return state;
    const directory = this.processes.get(name)?.lockedDirectory;
    if (needsLock && directory !== undefined && !DataDirectoryLock.isHeldBy(directory, pid)) return 'lock-is-free';
    return state === 'runs' ? 'is-busy' : 'agrees';
  }

  /** Asks the active alone: its readiness says what all clients wait for. */
  private lookAtReadiness(): void {
    systemTimers.after(READINESS_EVERY_MS, () => {
      if (this.hasEnded) return;
      void this.tellReadiness().finally(() => {
        this.lookAtReadiness();
      });
    });
  }

  private async tellReadiness(): Promise<void> {
    const name = this.state.active;
    if (name === undefined) return;
    const pid = this.state.processes[name]?.pid;
    const process_ = this.processes.get(name);
    if (pid === undefined || !process_) return;
    const found = await process_.probe(pid);
    if (found.state === 'silent') return;
    const reason = found.state === 'ready' ? undefined : (found.reason ?? 'says not in time whether it is ready');
    this.monitor.readiness(name, pid, reason);
  }
}
