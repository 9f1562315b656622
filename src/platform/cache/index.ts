export {
  type CacheGeneration,
  type CacheTier,
  type Claim,
  type MaybePromise,
  memoryTier,
  type SharedCacheTier,
} from './cache-tier.js';
export { FormerGenerations, type FormerGenerationsOptions } from './former-generations.js';
export { type CachedRead, GenerationCache, type TableVersion, type VersionedSource } from './generation-cache.js';
export { MAX_WAIT_MS, type SharedCounts, type SharedTierOptions } from './shared-reads.js';
