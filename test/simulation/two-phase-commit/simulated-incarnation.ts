import type { Clock, CrashSites, Log, Timers } from '../../../src/kernel/index.js';
import type { EventQueue } from '../replication/event-queue.js';

/** The world as one incarnation of the process sees it. */
export interface Surroundings {
  readonly queue: EventQueue;
  /** The process's own clock, which may jump. */
  readonly wallClock: Clock;
  /** Called after an event that may settle promises. */
  stir(): void;
  /** This incarnation passes a crash site and may end there. */
  reached(site: string): void;
}

/**
 * One incarnation of the process. After its end its timers do not fire, and the promises that it awaits never settle.
 */
export class SimulatedIncarnation {
  isAlive = true;
  readonly timers: Timers = {
    after: (delayMs, task) => {
      let isWanted = true;
      this.after(delayMs, () => {
        if (isWanted) task();
      });
      return () => {
        isWanted = false;
      };
    },
  };
  readonly clock: Clock;
  readonly crashSites: CrashSites;
  readonly log: Log = { info: () => undefined, warn: () => undefined };
  private readonly endings: (() => void)[] = [];

  constructor(private readonly world: Surroundings) {
    this.clock = world.wallClock;
    this.crashSites = {
      reach: (site) => {
        if (this.isAlive) world.reached(site);
      },
    };
  }

  /** Implements `Asker` of the network. */
  run(action: () => void): void {
    if (!this.isAlive) return;
    action();
    this.world.stir();
  }

  after(delayMs: number, action: () => void): void {
    this.world.queue.after(delayMs, () => {
      this.run(action);
    });
  }

  /** Settles only while this incarnation lasts; `begin` does not run after its end. */
  promise<T>(begin: (resolve: (value: T) => void, reject: (error: Error) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.isAlive) return;
      begin(
        (value) => {
          this.run(() => {
            resolve(value);
          });
        },
        (error) => {
          this.run(() => {
            reject(error);
          });
        },
      );
    });
  }

  /** Runs after any end of this incarnation, for observers outside of it. */
  whenOver(ending: () => void): void {
    this.endings.push(ending);
  }

  end(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    for (const ending of this.endings) ending();
  }
}
