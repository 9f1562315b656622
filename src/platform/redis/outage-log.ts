import { LimitedWarnings, type Log } from '../../kernel/index.js';

/**
 * Logs an outage when it begins and when it ends, and in between only what else is wrong. An outage that returns within ten seconds
 * with the same message is logged when it is still there after them, with the number of times that it was left out.
 */
export class OutageLog {
  private readonly said = new Map<string, string>();
  private readonly warnings: LimitedWarnings;

  constructor(
    private readonly log: Log,
    nowMs: () => number,
  ) {
    this.warnings = new LimitedWarnings(log, nowMs);
  }

  /** Call it at each failure. `message` is one of a few. */
  failed(subject: string, message: string, details: Readonly<Record<string, unknown>>): void {
    if (this.said.get(subject) === message) return;
    if (this.warnings.warn(message, details)) this.said.set(subject, message);
  }

  /** The end of an outage that was left out is left out too. */
  ended(subject: string): void {
    if (this.said.delete(subject)) this.log.info(`${subject} answers again`);
  }
}
