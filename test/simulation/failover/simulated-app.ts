import type { Echo } from '../../../src/protocols/failover/index.js';
import type { SharedDirectory } from './shared-directory.js';

export interface AppWorld {
  readonly directory: SharedDirectory;
  nowMs(): number;
  /** Runs later in this process: after it was continued when it is held, never when it has died. */
  after(app: SimulatedApp, delayMs: number, task: () => void): void;
  /** How long this step takes, in milliseconds. */
  duration(step: 'start' | 'opening' | 'computing' | 'read' | 'disk'): number;
  readonly echoesWithoutDisk: boolean;
}

const POLL_LOCK_EVERY_MS = 20;

/** An app process: it starts, waits for the lock, opens, and adds up what clients send, one after the other. */
export class SimulatedApp {
  isAlive = true;
  isHeld = false;
  hasStarted = false;
  /** When it could go on the last time, after it was held or had computed. */
  continuedAtMs = -Infinity;
  private about: Pick<Echo, 'role' | 'state' | 'epoch'> = { role: 'standby', state: 'waiting', epoch: null };
  isComputing = false;
  private isWriting = false;
  private readonly waiting: (() => void)[] = [];

  constructor(
    readonly name: string,
    readonly pid: number,
    private readonly world: AppWorld,
  ) {
    this.after(world.duration('start'), () => {
      this.hasStarted = true;
      this.pollLock();
    });
  }

  get isActive(): boolean {
    return this.isAlive && this.about.role === 'active';
  }

  get isOpen(): boolean {
    return this.isActive && this.about.state === 'open';
  }

  get isWaiting(): boolean {
    return this.isAlive && this.hasStarted && this.about.state === 'waiting';
  }

  /** Undefined while it cannot answer. */
  echo(): Echo | undefined {
    if (!this.hasStarted || this.isComputing || (!this.world.echoesWithoutDisk && this.isWriting)) return undefined;
    return { pid: this.pid, ...this.about };
  }

  /** Adds one under this key. The answer comes when the commit is durable, or never. */
  add(key: number, answered: () => void): void {
    if (!this.isOpen) return;
    this.waiting.push(() => {
      const { directory } = this.world;
      this.after(this.world.duration('read'), () => {
        const read = directory.sum;
        this.after(this.world.duration('disk'), () => {
          if (directory.commit(this.about.epoch ?? 0, key, read)) answered();
          else this.isAlive = false;
          this.isWriting = false;
          this.writeNext();
        });
      });
    });
    this.writeNext();
  }

  private writeNext(): void {
    if (this.isWriting) return;
    const next = this.waiting.shift();
    this.isWriting = next !== undefined;
    next?.();
  }

  private pollLock(): void {
    if (!this.world.directory.takeLock(this.pid)) {
      this.after(POLL_LOCK_EVERY_MS, () => {
        this.pollLock();
      });
      return;
    }
    this.about = { role: 'active', state: 'opening', epoch: null };
    // It replays a journal, for longer than a process that serves may be silent.
    this.isComputing = true;
    this.after(this.world.duration('computing'), () => {
      this.isComputing = false;
      this.continuedAtMs = this.world.nowMs();
      this.after(this.world.duration('opening'), () => {
        this.about = { role: 'active', state: 'open', epoch: this.world.directory.takeEpoch() };
      });
    });
  }

  private after(delayMs: number, task: () => void): void {
    this.world.after(this, delayMs, task);
  }
}
