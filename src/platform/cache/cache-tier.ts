import { LRUCache } from 'lru-cache';
import type { Log } from '../../kernel/index.js';

export type MaybePromise<T> = T | Promise<T>;

/**
 * Keeps values for a while, by key: it may forget any of them at any time, but never gives the value of another key. The same
 * key always has the same value. `get` gives undefined for an unknown key. A tier that is not in this process settles each
 * call within a deadline of its own, and rejects where it fails.
 */
export interface CacheTier<V = Buffer> {
  get(key: string): MaybePromise<V | undefined>;
  set(key: string, value: V): unknown;
}

/** Room for the key and the entry itself. */
const ENTRY_BYTES = 256;

/** A tier in this process, without promises; the values that were not used for longest make room. 0 bytes: it keeps nothing. */
export function memoryTier<V extends object>(maxBytes: number, bytesOf: (value: V) => Buffer): LRUCache<string, V> {
  const sizeCalculation = (value: V): number => bytesOf(value).length + ENTRY_BYTES;
  return new LRUCache<string, V>({ maxSize: Math.max(1, maxBytes), sizeCalculation });
}

/** A second tier for the values of a cache, which go there as bytes. */
export interface SecondTier<V> {
  /** The source of its hits in `X-Cache`. */
  readonly name: string;
  readonly tier: CacheTier;
  readonly log: Log;
  readonly encode: (value: V) => Buffer;
  /** Throws when the bytes are damaged: that is a miss. */
  readonly decode: (bytes: Buffer) => V;
}

/** Reads a value, or undefined after a failure, which is logged. */
export async function readTier<V>({ name, tier, log, decode }: SecondTier<V>, key: string): Promise<V | undefined> {
  try {
    const bytes = await tier.get(key);
    return bytes && decode(bytes);
  } catch (error) {
    log.warn('a cache tier failed to read', { tier: name, key, error: String(error) });
    return undefined;
  }
}

/** Resolves also after a failure, which is logged. */
export async function writeTier<V>({ name, tier, log, encode }: SecondTier<V>, key: string, value: V): Promise<void> {
  try {
    await tier.set(key, encode(value));
  } catch (error) {
    log.warn('a cache tier failed to write', { tier: name, key, error: String(error) });
  }
}
