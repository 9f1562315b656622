import type { Clock, CrashSites, Log, Timers } from '../../../src/kernel/index.js';
import type { EventQueue } from '../replication/event-queue.js';

/** What one incarnation of the process sees of the world around it. */
export interface Surroundings {
  readonly queue: EventQueue;
  /** As the process's own clock shows it; it may jump. */
  readonly wallClock: Clock;
  /** Something that may wait for a promise has moved. */
  stir(): void;
  /** This incarnation comes past a crash site, and may end there. */
  reached(site: string): void;
}

/**
 * One incarnation of the process. When it is over nothing that it began goes on: its timers do not fire, and the promises that
 * it waits for settle no more.
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

  /** For `Asker` of the network. */
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

  /** Settles only while this incarnation lasts; `begin` is not run at all when it is over. */
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

  /** Runs when this incarnation is over, however it ended; for those who are outside of it. */
  whenOver(ending: () => void): void {
    this.endings.push(ending);
  }

  end(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    for (const ending of this.endings) ending();
  }
}
