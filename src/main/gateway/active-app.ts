import type { Log, Timers } from '../../kernel/index.js';
import { incarnationOf } from '../../platform/http/index.js';
import { type ActiveProcess, activeAmong, type Echo } from '../../protocols/failover/index.js';
import { AppConnections } from './app-connections.js';

const LOOK_EVERY_MS = 20;

export interface ActiveAppOptions {
  /** URLs at which the app and its standby may be. */
  readonly urls: () => readonly string[];
  /** Undefined when the address does not echo in time. */
  readonly echo: (url: string) => Promise<Echo | undefined>;
  /** While no process is known to be active, nothing is looked for before this is true. */
  readonly isReady: () => boolean;
  readonly timers: Timers;
  readonly log: Log;
  /** Time between two looks while a process is active. */
  readonly pingMs: number;
  /** A process is active that was not before. */
  readonly found: () => void;
}

/** Knows which process of the app is active. Only a process that echoes so is used, and only until it loses a request. */
export class ActiveApp {
  private app: AppConnections | undefined;
  /** The process that lost a request, until it is known whether it lives. */
  private suspected: AppConnections | undefined;
  /** By URL, since the last loss: an answer from before it says nothing about the time after it. */
  private echoes = new Map<string, Echo | undefined>();
  private asked = new Set<string>();
  /** Incarnations that said that they serve no longer, or another installation. A later one may have the same pid. */
  private readonly refused = new Set<string>();
  private met = 0;
  private isClosed = false;
  private cancel: () => void = () => undefined;

  constructor(private readonly options: ActiveAppOptions) {}

  /** Undefined while no process is active. */
  get current(): AppConnections | undefined {
    return this.app;
  }

  /** Whether the active process answered the last look. */
  get isEchoing(): boolean {
    return this.app !== undefined && this.echoes.get(this.app.process.url) !== undefined;
  }

  start(): void {
    this.look();
  }

  close(): void {
    this.isClosed = true;
    this.cancel();
    this.app?.destroy();
    this.suspected?.destroy();
  }

  /** The process has lost a request: nobody counts as active until an echo says who is. */
  suspect(app: AppConnections): void {
    if (this.isClosed || this.app !== app) return;
    this.app = undefined;
    this.suspected = app;
    this.echoes = new Map();
    this.asked = new Set();
    this.cancel();
    this.look();
  }

  /** The process has said that it does not serve, so it is not used again. */
  refuse(app: AppConnections, reason: string): void {
    const { url, pid } = app.process;
    if (!this.isRefused(app.process)) this.options.log.warn(`${url} (pid ${String(pid)}) is not used: ${reason}`);
    this.refused.add(app.incarnation);
    this.suspect(app);
  }

  /** Asks the process itself. */
  async isStillActive({ process: { url }, incarnation }: AppConnections): Promise<boolean> {
    const active = activeAmong([{ url, echo: await this.options.echo(url) }], this.isRefused);
    return active !== undefined && incarnationOf(active) === incarnation;
  }

  private readonly isRefused = (process: ActiveProcess): boolean => this.refused.has(incarnationOf(process));

  private look(): void {
    const { urls, timers, pingMs, isReady } = this.options;
    if (isReady()) for (const url of urls()) void this.ask(url);
    this.cancel = timers.after(this.app === undefined ? LOOK_EVERY_MS : pingMs, () => {
      this.look();
    });
  }

  private async ask(url: string): Promise<void> {
    const { asked, echoes } = this;
    if (asked.has(url)) return;
    asked.add(url);
    const echo = await this.options.echo(url);
    asked.delete(url);
    if (this.isClosed || echoes !== this.echoes) return;
    echoes.set(url, echo);
    this.judge();
  }

  private judge(): void {
    const named = new Set(this.options.urls());
    for (const url of this.echoes.keys()) if (!named.has(url)) this.echoes.delete(url);
    const active = activeAmong(
      [...this.echoes].map(([url, echo]) => ({ url, echo })),
      this.isRefused,
    );
    if (active !== undefined) this.use(active);
    else if (this.app !== undefined && this.echoes.get(this.app.process.url) !== undefined) this.leave(this.app);
  }

  private use(active: ActiveProcess): void {
    const isSame = (app: AppConnections | undefined): boolean =>
      app?.process.url === active.url && app.process.pid === active.pid && app.process.epoch === active.epoch;
    if (isSame(this.app)) return;
    const former = this.app ?? this.suspected;
    this.app = isSame(former) && former ? former : new AppConnections(active, (this.met += 1));
    this.suspected = undefined;
    if (this.app !== former) {
      former?.destroy();
      this.options.log.info(`${active.url} is active (pid ${String(active.pid)}, epoch ${String(active.epoch)})`);
    }
    this.options.found();
  }

  /** It says itself that it is not active any more; what it has still comes to an end. */
  private leave(app: AppConnections): void {
    this.app = undefined;
    this.suspected = app;
    this.cancel();
    this.look();
  }
}
