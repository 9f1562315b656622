import { LRUCache } from 'lru-cache';
import type { Log } from '../../kernel/index.js';

export type MaybePromise<T> = T | Promise<T>;

/**
 * Keeps values for a while, by key: it may forget any of them at any time, but never returns the value of another key. A key
 * always has the same value. `get` returns undefined for an unknown key. A tier outside this process settles each call within its
 * own deadline, and rejects when it fails.
 */
export interface CacheTier<V = Buffer> {
  get(key: string): MaybePromise<V | undefined>;
  set(key: string, value: V): unknown;
}

/** The room for the key and the entry itself. */
const ENTRY_BYTES = 256;

/** A synchronous tier in this process that evicts the least recently used values. With 0 bytes it keeps nothing. */
export function memoryTier<V extends object>(maxBytes: number, bytesOf: (value: V) => Buffer): LRUCache<string, V> {
  const sizeCalculation = (value: V): number => bytesOf(value).length + ENTRY_BYTES;
  return new LRUCache<string, V>({ maxSize: Math.max(1, maxBytes), sizeCalculation });
}

/** A second tier for the values of a cache, which it holds as bytes. */
export interface SecondTier<V> {
  /** The name of this source in `X-Cache`. */
  readonly name: string;
  readonly tier: CacheTier;
  readonly log: Log;
  readonly encode: (value: V) => Buffer;
  /** Throws when the bytes are damaged, which counts as a miss. */
  readonly decode: (bytes: Buffer) => V;
}

/** Reads a value; logs a failure and returns undefined. */
export async function readTier<V>({ name, tier, log, decode }: SecondTier<V>, key: string): Promise<V | undefined> {
  try {
    const bytes = await tier.get(key);
    return bytes && decode(bytes);
  } catch (error) {
    log.warn('a cache tier failed to read', { tier: name, key, error: String(error) });
    return undefined;
  }
}

/** Resolves also after a failure, which it logs. */
export async function writeTier<V>({ name, tier, log, encode }: SecondTier<V>, key: string, value: V): Promise<void> {
  try {
    await tier.set(key, encode(value));
  } catch (error) {
    log.warn('a cache tier failed to write', { tier: name, key, error: String(error) });
  }
}
