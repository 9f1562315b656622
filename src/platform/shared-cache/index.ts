export { SharedCache, sharedRedis } from './shared-cache.js';
