export { type CacheTier, type MaybePromise, memoryTier, type SecondTier } from './cache-tier.js';
export { type CachedRead, type CacheOptions, GenerationCache, type VersionedSource } from './generation-cache.js';
