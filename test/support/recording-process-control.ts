import type { ProcessControl } from '../../src/kernel/index.js';

/** Notes each stop and returns, where the real one would have ended the process. */
export class RecordingProcessControl implements ProcessControl {
  readonly stops: { readonly reason: string; readonly cause: unknown }[] = [];

  get isStopped(): boolean {
    return this.stops.length > 0;
  }

  stop(reason: string, cause: unknown): void {
    this.stops.push({ reason, cause });
  }
}
