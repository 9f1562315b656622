import { describe, expect, it } from '@jest/globals';
import type { ChildExit, LaunchedChild } from '../../platform/nodes/index.js';
import { ESSENTIAL, SPARE } from './managed-process-core.js';
import { Supervisor } from './supervisor.js';

const ADDRESS = { pid: 7, url: 'http://127.0.0.1:5050' };
const KILLED: ChildExit = { pid: 7, code: null, signal: 'SIGKILL', complaint: undefined };

class SimulatedApp implements LaunchedChild {
  readonly signals: string[] = [];
  readonly pid = ADDRESS.pid;
  becomeReady: (address: typeof ADDRESS | undefined) => void = () => undefined;
  exit: (exit: ChildExit) => void = () => undefined;
  readonly ready = new Promise<typeof ADDRESS | undefined>((resolve) => (this.becomeReady = resolve));
  readonly exited = new Promise<ChildExit>((resolve) => (this.exit = resolve));

  isRunning(): boolean {
    return true;
  }

  signal(signal: string): void {
    this.signals.push(signal);
  }
}

/** A supervisor whose processes and time are in the hand of the test. */
class World {
  readonly apps: SimulatedApp[] = [];
  readonly notified: string[] = [];
  readonly alarms: { readonly delayMs: number; readonly ring: () => void; isCancelled: boolean }[] = [];
  readonly supervisor = new Supervisor({
    children: {
      app: {
        restart: ESSENTIAL,
        stopRank: 1,
        launch: () => {
          const app = new SimulatedApp();
          this.apps.push(app);
          return app;
        },
      },
    },
    after: (delayMs, ring) => {
      const alarm = { delayMs, ring, isCancelled: false };
      this.alarms.push(alarm);
      return () => {
        alarm.isCancelled = true;
      };
    },
    notify: (notice) => this.notified.push(notice.kind === 'child' ? notice.notice.kind : notice.kind),
  });

  get app(): SimulatedApp {
    return this.apps.at(-1)!;
  }

  /** The delays of the alarms that would still ring. */
  get pending(): number[] {
    return this.alarms.filter(({ isCancelled }) => !isCancelled).map(({ delayMs }) => delayMs);
  }

  ring(delayMs: number): void {
    const alarm = this.alarms.find((candidate) => candidate.delayMs === delayMs && !candidate.isCancelled)!;
    alarm.isCancelled = true;
    alarm.ring();
  }
}

/** Lets everything that has resolved be heard. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function upWorld(): Promise<World> {
  const world = new World();
  world.supervisor.start();
  world.app.becomeReady(ADDRESS);
  await settle();
  return world;
}

describe('the supervisor with its processes and timers', () => {
  it('given an app that is up and is killed, starts another one after the wait, with one timer at a time', async () => {
    const world = await upWorld();
    expect(world.pending).toEqual([30_000]);

    world.app.exit(KILLED);
    await settle();
    expect(world.pending).toEqual([250]);
    expect(world.apps).toHaveLength(1);

    world.ring(250);
    world.app.becomeReady(ADDRESS);
    await settle();
    expect(world.apps).toHaveLength(2);
    expect(world.notified).toEqual(['all-up', 'died', 'ready']);
  });

  it('given a stop, resolves only when the app is gone, and leaves no timer', async () => {
    const world = await upWorld();
    let exitCode: number | undefined;
    void world.supervisor.ended.then((code) => (exitCode = code));

    world.supervisor.stop();
    await settle();
    expect(world.app.signals).toEqual(['SIGTERM']);
    expect(exitCode).toBeUndefined();

    world.app.exit({ ...KILLED, code: 0, signal: null });
    await settle();
    expect(exitCode).toBe(0);
    expect(world.pending).toEqual([]);
  });

  it('given an app that ignores the stop, kills it after the time that a stop has', async () => {
    const world = await upWorld();
    world.supervisor.stop();
    world.ring(10_000);

    expect(world.app.signals).toEqual(['SIGTERM', 'SIGKILL']);
  });

  it('given an answer of a dead app that arrives late, does not take it for the next one', async () => {
    const world = new World();
    world.supervisor.start();
    const [first] = world.apps;
    first!.exit(KILLED);
    await settle();
    world.ring(250);
    first!.becomeReady(ADDRESS);
    await settle();

    expect(world.notified).toEqual(['died']);
  });

  it('given a stop before the start, does nothing', () => {
    const world = new World();
    world.supervisor.stop();

    expect(world.apps).toEqual([]);
    expect(world.notified).toEqual([]);
  });

  it('given two children, keeps a timer for each and takes the end of one for no end of the other', async () => {
    const [app, replica] = [new SimulatedApp(), new SimulatedApp()];
    const rings: (() => void)[] = [];
    const starts: string[] = [];
    const launching = (name: string, child: SimulatedApp) => (): LaunchedChild => {
      starts.push(name);
      return child;
    };
    const supervisor = new Supervisor({
      children: {
        app: { restart: ESSENTIAL, stopRank: 1, launch: launching('app', app) },
        replica: { restart: SPARE, stopRank: 2, launch: launching('replica', replica) },
      },
      after: (delayMs, ring) => {
        if (delayMs === 250) rings.push(ring);
        return () => undefined;
      },
      notify: () => undefined,
    });
    supervisor.start();
    [app, replica].forEach((child) => child.becomeReady(ADDRESS));
    await settle();
    replica.exit(KILLED);
    await settle();

    expect(rings).toHaveLength(1);
    rings[0]!();
    expect(starts).toEqual(['app', 'replica', 'replica']);
  });
});
