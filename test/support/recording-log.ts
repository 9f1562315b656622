import type { Log } from '../../src/kernel/index.js';

export interface LogEntry {
  readonly level: 'info' | 'warn';
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export class RecordingLog implements Log {
  readonly entries: LogEntry[] = [];

  get warnings(): readonly string[] {
    return this.entries.filter(({ level }) => level === 'warn').map(({ message }) => message);
  }

  info(message: string, details: Readonly<Record<string, unknown>> = {}): void {
    this.entries.push({ level: 'info', message, details });
  }

  warn(message: string, details: Readonly<Record<string, unknown>> = {}): void {
    this.entries.push({ level: 'warn', message, details });
  }
}
