import type { LoggerService } from '@nestjs/common';
import { pino, type Logger } from 'pino';
import type { Log } from '../../kernel/index.js';
import { LogFile } from './log-file.js';
import { LogOutput } from './log-output.js';

const STANDARD_OUTPUT = 1;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LoggerOptions {
  readonly level: LogLevel;
  /** The file behind standard output, which this process keeps small; undefined where that is not its task. */
  readonly file?: string | undefined;
  readonly secrets?: readonly string[];
}

/** JSON lines on standard output, buffered: a killed process may lose its last half second of log, never of data. */
export function createLogger({ level, file, secrets = [] }: LoggerOptions): {
  readonly logger: Logger;
  readonly flush: () => void;
} {
  const leftOutLine = (count: number): string => {
    const entry = { level: pino.levels.values['warn'], time: new Date().toISOString(), pid: process.pid, lines: count };
    return `${JSON.stringify({ ...entry, msg: 'log lines were dropped: the disk had no room for them' })}\n`;
  };
  const logFile = file === undefined ? undefined : LogFile.of(STANDARD_OUTPUT, file);
  const out = new LogOutput(STANDARD_OUTPUT, { file: logFile, secrets, leftOutLine });
  const logger = pino({ level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }, out);
  return {
    logger,
    flush: () => {
      out.flush();
    },
  };
}

/** The kernel's `Log` port on pino. */
export function logPort(logger: Logger): Log {
  return {
    info: (message, details = {}) => {
      logger.info(details, message);
    },
    warn: (message, details = {}) => {
      logger.warn(details, message);
    },
  };
}

/** Passes on only those of Nest's own messages that an operator must see. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(): void {
    return undefined;
  }

  error(message: unknown, ...details: unknown[]): void {
    this.logger.error({ details }, String(message));
  }

  warn(message: unknown, ...details: unknown[]): void {
    this.logger.warn({ details }, String(message));
  }
}
