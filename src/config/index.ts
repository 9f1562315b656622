export { type AppConfig, loadConfig, parseConfig } from './load-config.js';
