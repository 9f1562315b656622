import { AppError, type Disk } from '../../kernel/index.js';
import { nextIncarnation } from './segment-names.js';

/**
 * A process that runs sees its successor in time: the supervisor waits longer than this for a sign of life. So only a process
 * that was stopped for longer can have missed it.
 */
const SAFE_GAP_MS = 250;

/**
 * Finds out whether a later incarnation has taken over the directory: it has begun a segment of its own, which it does before it
 * relies on what is there. So a look after a record is durable, and before its acknowledgement, misses no takeover that could have
 * overlooked the record.
 */
export class Ownership {
  private lookedAtMs = -Infinity;
  private loss: AppError | undefined;

  constructor(
    private readonly disk: Disk,
    private readonly directory: string,
    private readonly incarnation: number,
    /** Of a monotonic clock. Absent: each call looks. */
    private readonly nowMs: (() => number) | undefined,
  ) {}

  /** Same as `look`, unless a look within the last `SAFE_GAP_MS` has found nothing. */
  async assertKept(segment: string): Promise<void> {
    const now = this.nowMs?.();
    if (now !== undefined && now - this.lookedAtMs <= SAFE_GAP_MS && this.loss === undefined) return;
    await this.look(segment);
    if (now !== undefined) this.lookedAtMs = now;
  }

  /** Rejects with `superseded` when a later incarnation is there, or has removed the segment that this one writes. */
  async look(segment: string): Promise<void> {
    if (this.loss === undefined) {
      const names = await this.disk.list(this.directory);
      const newest = nextIncarnation(names) - 1;
      if (newest > this.incarnation || !names.includes(segment)) {
        this.loss = superseded(this.directory, this.incarnation, newest);
      }
    }
    if (this.loss !== undefined) throw this.loss;
  }
}

function superseded(directory: string, own: number, newest: number): AppError {
  const what = `another process has taken over ${directory}: incarnation ${String(own)} found incarnation ${String(newest)}`;
  return new AppError('superseded', what, { retry: 'unknown' });
}
