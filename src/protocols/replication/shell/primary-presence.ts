import type { Log, Timers } from '../../../kernel/index.js';
import type { FollowedPrimary } from './replica-shell.js';

/** Judges by the primary's last message whether the primary is alive, and logs one line for each change. */
export class PrimaryPresence {
  private primaryId: string | undefined;
  private heardMs: number | undefined;
  private isThereNow = false;

  /** `nowMs` is monotonic. */
  constructor(
    private readonly ports: { readonly timers: Timers; readonly log: Log; readonly nowMs: () => number },
    private readonly deadAfterMs: number,
  ) {}

  begin(): void {
    this.ports.log.info('waiting for a primary');
    this.watch();
  }

  get isThere(): boolean {
    return this.heardMs !== undefined && this.ports.nowMs() - this.heardMs <= this.deadAfterMs;
  }

  heard({ primaryId, epoch, url }: FollowedPrimary): void {
    this.heardMs = this.ports.nowMs();
    if (this.isThereNow && this.primaryId === primaryId) return;
    this.isThereNow = true;
    this.primaryId = primaryId;
    this.ports.log.info('the primary is there', { epoch, url });
  }

  private watch(): void {
    this.ports.timers.after(this.deadAfterMs, () => {
      if (this.isThereNow && !this.isThere) {
        this.isThereNow = false;
        this.ports.log.warn('the primary is silent; waiting for a primary');
      }
      this.watch();
    });
  }
}
