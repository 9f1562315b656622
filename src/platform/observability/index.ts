export { HttpObserver } from './http-observer.js';
export { createLogger, type LoggerOptions, type LogLevel, logPort, NestLogger } from './logger.js';
