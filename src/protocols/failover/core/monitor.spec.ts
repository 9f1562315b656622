import { describe, expect, it } from '@jest/globals';
import type { Echo } from '../echo.js';
import { begin, decide, type MonitorEffect, type MonitorNews, type MonitorState, type Rules } from './monitor.js';
import { detectionMs, recoveryMs, takeoverMs } from './takeover.js';

const PING_MS = 250;
const PATIENCE = { deadAfterMs: 1_000, openingWithinMs: 15_000, startWithinMs: 60_000 };
const RULES: Readonly<Record<string, Rules>> = {
  A: { patience: PATIENCE, isApp: true },
  B: { patience: PATIENCE, isApp: true },
  replica: { patience: PATIENCE, isApp: false },
};
type Name = 'A' | 'B' | 'replica';

const ACTIVE = { role: 'active', state: 'open' } as const;
const OPENING = { role: 'active', state: 'opening' } as const;
const STANDBY = { role: 'standby', state: 'waiting' } as const;
const REPLICA = { role: 'replica', state: 'open' } as const;

/** A monitor whose time and processes are in the hand of the test. */
class World {
  state: MonitorState = begin(RULES, PING_MS, 0);
  readonly deeds: string[] = [];
  readonly pids = new Map<Name, number>();
  nowMs = 0;
  /** What a check finds; undefined: no answer. */
  verdict: 'agrees' | 'lock-is-free' | 'waits-for-disk' | 'is-busy' | 'gone' | undefined = 'agrees';
  epoch = 1;
  private lastPid = 0;

  give(news: MonitorNews): void {
    const { state, effects } = decide(this.state, { ...news, atMs: this.nowMs });
    this.state = state;
    for (const effect of effects) this.perform(effect);
  }

  launch(name: Name): void {
    this.pids.set(name, (this.lastPid += 1));
    this.give({ kind: 'launched', name, pid: this.lastPid });
  }

  echo(name: Name, about: Pick<Echo, 'role' | 'state'>, epoch = this.epoch): void {
    const pid = this.pids.get(name)!;
    this.give({ kind: 'echoed', name, pid, echo: { pid, ...about, epoch: about.role === 'active' ? epoch : null } });
  }

  exit(name: Name): void {
    this.give({ kind: 'exited', name, pid: this.pids.get(name)! });
  }

  /** Time passes; those that are named echo at each tick. */
  pass(durationMs: number, echoes: Readonly<Partial<Record<Name, Pick<Echo, 'role' | 'state'>>>> = {}): void {
    for (const endMs = this.nowMs + durationMs; this.nowMs < endMs;) {
      this.nowMs += PING_MS;
      this.give({ kind: 'tick' });
      for (const [name, about] of Object.entries(echoes)) this.echo(name as Name, about);
    }
  }

  healthOf(name: Name): string | undefined {
    return this.state.processes[name]?.health;
  }

  private perform(effect: MonitorEffect): void {
    if (effect.kind === 'kill') this.deeds.push(`kill ${effect.name}`);
    if (effect.kind === 'changed') this.deeds.push(`${effect.name} ${effect.to}`);
    if (effect.kind === 'taken-over') this.deeds.push(`${effect.takeover.by ?? 'nobody'} took over`);
    if (effect.kind !== 'check') return;
    this.deeds.push(`check ${effect.name}${effect.needsLock ? ' and its lock' : ''}`);
    const { name, pid } = effect;
    if (this.verdict) this.give({ kind: 'checked', name, pid, verdict: this.verdict });
  }
}

const ALL = { A: ACTIVE, B: STANDBY, replica: REPLICA };

function running(): World {
  const world = new World();
  (['A', 'B', 'replica'] as const).forEach((name) => world.launch(name));
  world.pass(PING_MS, ALL);
  expect(world.deeds).toEqual(['A healthy', 'B healthy', 'replica healthy']);
  world.deeds.length = 0;
  return world;
}

describe('the monitor', () => {
  it('given processes that echo, does nothing', () => {
    const world = running();
    world.pass(60_000, ALL);

    expect(world.deeds).toEqual([]);
    expect(world.state.active).toBe('A');
  });

  it('given an active that stops to echo, finds it suspect, then dead, and kills it once pid, start time and lock agree', () => {
    const world = running();
    const { A: _, ...others } = ALL;
    world.pass(500, others);
    expect(world.deeds).toEqual(['A suspect']);
    world.pass(500, others);

    expect(world.deeds).toEqual(['A suspect', 'check A and its lock', 'A dead', 'kill A']);
  });

  it.each(['gone', undefined] as const)('given a check that finds "%s", kills nothing', (verdict) => {
    const world = running();
    world.verdict = verdict;
    world.pass(5_000, { B: STANDBY, replica: REPLICA });

    expect(world.deeds).not.toContain('kill A');
  });

  it('given a silent active whose lock is free, gives it the same time once more, and kills it by pid and start time', () => {
    const world = running();
    world.verdict = 'lock-is-free';
    world.pass(1_000, { B: STANDBY, replica: REPLICA });
    expect(world.deeds).not.toContain('kill A');
    world.verdict = 'agrees';
    world.pass(1_000, { B: STANDBY, replica: REPLICA });

    expect(world.deeds.slice(-3)).toEqual(['check A', 'A dead', 'kill A']);
  });

  it('given an echo that comes while the check is under way, kills nothing', () => {
    const world = running();
    world.verdict = undefined;
    world.pass(1_000, { B: STANDBY, replica: REPLICA });
    expect(world.deeds).toContain('check A and its lock');
    world.echo('A', ACTIVE);
    world.give({ kind: 'checked', name: 'A', pid: world.pids.get('A')!, verdict: 'agrees' });

    expect(world.deeds).not.toContain('kill A');
    expect(world.healthOf('A')).toBe('healthy');
  });

  it('given that it was held itself for a minute, counts that as no silence of others', () => {
    const world = running();
    world.nowMs += 60_000;
    world.give({ kind: 'tick' });
    world.pass(PING_MS, ALL);

    expect(world.deeds.filter((deed) => /kill|check/.test(deed))).toEqual([]);
  });

  it('given an active that echoes and is not ready for minutes, as with a slow disk, finds it suspect and never kills it', () => {
    const world = running();
    const pid = world.pids.get('A')!;
    world.give({ kind: 'readiness', name: 'A', pid, reason: 'its disk is slow' });
    world.pass(300_000, ALL);

    expect(world.deeds).toEqual(['A suspect']);
    expect(world.state.processes['A']?.reason).toBe('its disk is slow');
    world.give({ kind: 'readiness', name: 'A', pid, reason: undefined });
    expect(world.deeds).toEqual(['A suspect', 'A healthy']);
  });

  it('given an active that is silent because it waits for its disk, finds it suspect for as long, and never kills it', () => {
    const world = running();
    world.verdict = 'waits-for-disk';
    world.pass(60_000, { B: STANDBY, replica: REPLICA });
    expect(world.deeds.filter((deed) => !deed.startsWith('check'))).toEqual(['A suspect']);
    world.pass(PING_MS, ALL);

    expect(world.healthOf('A')).toBe('healthy');
  });

  it('given an active that is silent and busy, as on a machine without a free processor, gives it five times its time', () => {
    const world = running();
    world.verdict = 'is-busy';
    world.pass(4_750, { B: STANDBY, replica: REPLICA });
    expect(world.deeds).not.toContain('kill A');
    expect(world.healthOf('A')).toBe('suspect');
    world.pass(250, { B: STANDBY, replica: REPLICA });

    expect(world.deeds).toContain('kill A');
  });

  it('given a start that echoes as opening for ten minutes, lets it replay its journal', () => {
    const world = running();
    world.exit('A');
    world.pass(600_000, { B: OPENING, replica: REPLICA });

    expect(world.deeds).not.toContain('kill B');
  });

  it('given an opening process that is silent, kills it only after the time that an opening has', () => {
    const world = running();
    world.exit('A');
    world.pass(PING_MS, { B: OPENING, replica: REPLICA });
    world.pass(14_500, { replica: REPLICA });
    expect(world.deeds).not.toContain('kill B');
    world.pass(1_000, { replica: REPLICA });

    expect(world.deeds).toContain('kill B');
  });

  it('given a standby that is silent while it takes over, gives it the time of an opening', () => {
    const world = running();
    world.exit('A');
    world.pass(5_000, { replica: REPLICA });

    expect(world.deeds).not.toContain('kill B');
  });

  it('given a start without an echo, kills it after the time that a start has, and gives the next one twice that', () => {
    const world = running();
    world.exit('replica');
    world.launch('replica');
    const apps = { A: ACTIVE, B: STANDBY };
    world.pass(60_000, apps);
    expect(world.deeds.filter((deed) => deed === 'kill replica')).toHaveLength(1);
    world.exit('replica');
    world.launch('replica');
    world.pass(119_000, apps);
    expect(world.deeds.filter((deed) => deed === 'kill replica')).toHaveLength(1);
    world.pass(1_000, apps);

    expect(world.deeds.filter((deed) => deed === 'kill replica')).toHaveLength(2);
  });

  it('given news of a process that is gone, ignores it', () => {
    const world = running();
    const pid = world.pids.get('A')!;
    world.exit('A');
    world.launch('A');
    world.deeds.length = 0;
    world.give({ kind: 'echoed', name: 'A', pid, echo: { pid, ...ACTIVE, epoch: 1 } });
    world.give({ kind: 'exited', name: 'A', pid });
    world.give({ kind: 'checked', name: 'A', pid, verdict: 'agrees' });

    expect(world.deeds).toEqual([]);
    expect(world.healthOf('A')).toBe('restarting');
  });

  it('given a process that was found dead and echoes once more, takes it for dead until it is gone', () => {
    const world = running();
    world.pass(1_000, { B: STANDBY, replica: REPLICA });
    world.echo('A', ACTIVE);

    expect(world.healthOf('A')).toBe('dead');
    expect(world.state.active).toBeUndefined();
    world.pass(15_000, { B: STANDBY, replica: REPLICA });
    expect(world.deeds.filter((deed) => deed === 'kill A')).toHaveLength(2);
  });

  it('given a stop, kills nothing more', () => {
    const world = running();
    world.give({ kind: 'stop-requested' });
    world.pass(60_000);

    expect(world.deeds).toEqual([]);
  });
});

describe('a takeover', () => {
  it('given a hung active, is measured from its last echo to the verdict, to the next active, to the next standby', () => {
    const world = running();
    world.pass(1_000, { B: STANDBY, replica: REPLICA });
    world.exit('A');
    world.epoch = 2;
    world.pass(PING_MS, { B: OPENING, replica: REPLICA });
    world.pass(PING_MS, { B: ACTIVE, replica: REPLICA });
    expect(world.state.active).toBe('B');
    expect(world.state.underWay).toMatchObject({ of: 'A', by: 'B', cause: 'hung', restoredAtMs: undefined });
    world.launch('A');
    world.pass(PING_MS, { A: STANDBY, B: ACTIVE, replica: REPLICA });

    expect(world.deeds.filter((deed) => deed === 'B took over')).toHaveLength(2);
    const [takeover] = world.state.takeovers;
    expect(world.state.takeovers).toHaveLength(1);
    expect([detectionMs(takeover!), takeoverMs(takeover!), recoveryMs(takeover!)]).toEqual([1_000, 500, 250]);
    expect(world.state.underWay).toBeUndefined();
  });

  it('given a killed active, has the cause "died"', () => {
    const world = running();
    world.exit('A');
    world.pass(PING_MS, { B: ACTIVE, replica: REPLICA });

    expect(world.state.underWay).toMatchObject({ of: 'A', by: 'B', cause: 'died' });
  });

  it('given that the next active dies before there is a standby, is two takeovers', () => {
    const world = running();
    world.exit('A');
    world.pass(PING_MS, { B: ACTIVE, replica: REPLICA });
    world.exit('B');
    world.launch('A');
    world.pass(PING_MS, { A: ACTIVE, replica: REPLICA });
    world.launch('B');
    world.pass(PING_MS, { A: ACTIVE, B: STANDBY, replica: REPLICA });

    expect(world.state.takeovers.map(({ of, by }) => [of, by])).toEqual([
      ['A', 'B'],
      ['B', 'A'],
    ]);
  });

  it('given a former active that wakes up and still calls itself active, stays with the one of the later epoch', () => {
    const world = running();
    world.echo('B', ACTIVE, 2);
    world.echo('A', ACTIVE, 1);

    expect(world.state.active).toBe('B');
  });

  it('given the death of a standby or a replica, is none', () => {
    const world = running();
    world.exit('B');
    world.exit('replica');

    expect(world.state.underWay).toBeUndefined();
    expect(world.state.active).toBe('A');
  });
});
