export { HttpObserver } from './http-observer.js';
export { createLogger, type LogLevel, logPort, NestLogger } from './logger.js';
