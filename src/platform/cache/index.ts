export { type CachedRead, type CacheOptions, GenerationCache, type VersionedSource } from './generation-cache.js';
