export { type AppConfig, loadConfig, loadDataDirectory, parseConfig } from './load-config.js';
