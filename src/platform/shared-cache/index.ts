export { SharedCache, type SharedCacheOptions } from './shared-cache.js';
