export { type CacheGeneration, type CacheTier, type Claim, memoryTier, type SharedCacheTier } from './cache-tier.js';
export { FormerGenerations } from './former-generations.js';
export { type CachedRead, GenerationCache, type TableVersion, type VersionedSource } from './generation-cache.js';
export type { SharedTierOptions } from './shared-reads.js';
