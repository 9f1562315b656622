export { HttpObserver } from './http-observer.js';
export { createLogger, type LoggerOptions, type LogLevel, logPort, NestLogger } from './logger.js';
export { countCacheReads, observeRedis } from './cache-metrics.js';
