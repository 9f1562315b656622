import type { Log } from './ports.js';

const WINDOW_MS = 10_000;

/** Logs each message at most once in ten seconds, with the number of times that it was left out since. */
export class LimitedWarnings {
  private readonly windows = new Map<string, { readonly endsMs: number; leftOut: number }>();

  constructor(
    private readonly log: Log,
    private readonly nowMs: () => number,
  ) {}

  /** `message` is one of a few. Returns whether it was logged. */
  warn(message: string, details: Readonly<Record<string, unknown>>): boolean {
    const nowMs = this.nowMs();
    const window = this.windows.get(message);
    if (window !== undefined && nowMs < window.endsMs) {
      window.leftOut += 1;
      return false;
    }
    this.windows.set(message, { endsMs: nowMs + WINDOW_MS, leftOut: 0 });
    const leftOut = window?.leftOut ?? 0;
    this.log.warn(message, leftOut > 0 ? { ...details, leftOut } : details);
    return true;
  }
}
