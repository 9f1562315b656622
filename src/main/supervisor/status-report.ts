import type { Clock } from '../../kernel/index.js';
import {
  detectionMs,
  type HealthChange,
  prospectsOf,
  type ProcessStatus,
  recoveryMs,
  type SupervisorStatus,
  type Takeover,
  takeoverMs,
  type Watched,
} from '../../protocols/failover/index.js';
import type { HealthWatch } from './health-watch.js';
import type { ManagedProcess, ManagedProcesses } from './managed-processes.js';
import type { ChildView } from './supervisor.js';

const KEPT_CHANGES = 20;
/** So many deaths without a while of peace between them. */
const FLAPPING_DEATHS = 3;

export interface StatusSources {
  readonly processes: ManagedProcesses;
  readonly watch: Pick<HealthWatch, 'state' | 'urlOf'>;
  readonly childOf: (name: string) => ChildView | undefined;
  readonly minInSync: number;
  readonly clock: Clock;
  /** A monotonic clock, the monitor's. */
  readonly nowMs: () => number;
}

type Change = ProcessStatus['history'][number];

/** Keeps the changes of health, with the time of day, and puts the status together. */
export class StatusReport {
  private readonly changes = new Map<string, readonly Change[]>();
  private readonly startedAtMs: number;

  constructor(private readonly sources: StatusSources) {
    this.startedAtMs = sources.clock.nowMs();
  }

  changed({ name, from, to, reason }: HealthChange): void {
    const change = { at: timeText(this.sources.clock.nowMs()), from, to, reason: reason ?? null };
    this.changes.set(name, [...(this.changes.get(name) ?? []), change].slice(-KEPT_CHANGES));
  }

  status(): SupervisorStatus {
    const { clock, processes, watch } = this.sources;
    const { active, takeovers, underWay } = watch.state;
    return {
      supervisor: { pid: process.pid, startedAt: timeText(this.startedAtMs) },
      at: timeText(clock.nowMs()),
      active: active ?? null,
      processes: [...processes.values()].map((managed) => this.processStatus(managed)),
      failovers: [...takeovers, ...(underWay ? [underWay] : [])].map((each) => this.takeoverStatus(each)),
      aFailureNow: [...this.prospects()],
    };
  }

  private processStatus(managed: ManagedProcess): ProcessStatus {
    const { name, log } = managed;
    const { watch, nowMs } = this.sources;
    const child = this.sources.childOf(name);
    const watched = watch.state.processes[name] ?? unwatched(child);
    const { echo, echoAtMs, pid, startedAtMs } = watched;
    const sinceMs = (atMs: number | undefined): number | null =>
      atMs === undefined ? null : Math.round(nowMs() - atMs);
    const nextStartAtMs = child?.nextStartAtMs;
    return {
      ...{ name, log, health: watched.health, reason: reasonOf(watched, child) },
      role: echo?.role ?? (managed.kind.isCache === true ? 'cache' : null),
      pid: pid ?? null,
      url: watch.urlOf(name) ?? managed.runFile.url ?? null,
      ageMs: pid === undefined ? null : sinceMs(startedAtMs),
      restarts: Math.max(0, watched.starts - 1),
      lastEchoMsAgo: sinceMs(echoAtMs),
      epoch: echo?.epoch ?? null,
      isFlapping: (child?.deaths ?? 0) >= FLAPPING_DEATHS,
      nextStartInMs: nextStartAtMs === undefined ? null : Math.max(0, Math.round(nextStartAtMs - nowMs())),
      history: [...(this.changes.get(name) ?? [])],
    };
  }

  private takeoverStatus(takeover: Takeover): SupervisorStatus['failovers'][number] {
    const { of, by, cause, knownAtMs } = takeover;
    const { clock, nowMs } = this.sources;
    const rounded = (durationMs: number | undefined): number | null =>
      durationMs === undefined ? null : Math.round(durationMs);
    return {
      ...{ of, by: by ?? null, cause, at: timeText(clock.nowMs() - (nowMs() - knownAtMs)) },
      detectionMs: Math.round(detectionMs(takeover)),
      takeoverMs: rounded(takeoverMs(takeover)),
      recoveryMs: rounded(recoveryMs(takeover)),
    };
  }

  private prospects(): SupervisorStatus['aFailureNow'] {
    const { watch, minInSync } = this.sources;
    const { active, processes } = watch.state;
    const named = Object.entries(processes);
    const isUp = ({ health }: Watched): boolean => health === 'healthy' || health === 'suspect';
    const of = (role: string): readonly (readonly [string, Watched])[] =>
      named.filter(([, each]) => isUp(each) && each.echo?.role === role);
    const replicas = named.filter(([, { rules, echo }]) => !rules.isApp && echo?.role !== 'gateway');
    const up = of('replica').length;
    const waiting = named.find(([, each]) => isUp(each) && each.echo?.state === 'waiting');
    return [
      ...prospectsOf({
        active,
        standby: waiting?.[0],
        replicas: { up, all: replicas.length, minInSync: Math.min(minInSync, replicas.length) },
        gateway: of('gateway')[0]?.[0],
      }),
    ];
  }
}

function reasonOf({ health, reason }: Watched, child: ChildView | undefined): string | null {
  if (child?.isGivenUp === true) return 'given up: a person has to act';
  if (child?.phase === 'waiting' && health === 'restarting') return 'ended; waits for its next start';
  return reason ?? null;
}

/** A process without an echo, as far as its starts and ends tell. */
function unwatched(child: ChildView | undefined): Watched {
  const health = child?.phase === 'up' ? 'healthy' : (child?.deaths ?? 0) > 0 ? 'restarting' : 'starting';
  return {
    rules: { isApp: false, patience: { deadAfterMs: 0, openingWithinMs: 0, startWithinMs: 0 } },
    ...{ health, reason: undefined, pid: undefined, startedAtMs: 0, starts: 1 + (child?.deaths ?? 0), vainStarts: 0 },
    ...{ echo: undefined, echoAtMs: undefined, silentMs: 0, notReady: undefined, check: 'none' },
  };
}

function timeText(ms: number): string {
  return new Date(Math.round(ms)).toISOString();
}
