import { LRUCache } from 'lru-cache';
import type { MaybePromise } from '../../kernel/index.js';

/**
 * Keeps values for a while, by key: it may forget any of them at any time, but never returns the value of another key. A key
 * always has the same value. `get` returns undefined for an unknown key.
 */
export interface CacheTier<V = Buffer> {
  get(key: string): MaybePromise<V | undefined>;
  set(key: string, value: V): unknown;
}

/** Entries of a later generation of a group replace those of an earlier one. */
export interface CacheGeneration {
  readonly group: string;
  readonly generation: number;
}

/** The value, or whether the caller loads it (`load`), or waits because another process loads it (`wait`). */
export type Claim = Buffer | 'load' | 'wait';

/**
 * A tier that processes share. It settles each call within its own deadline, and rejects when it fails; what it rejected may have
 * happened, or may happen later. Damaged bytes count as absent.
 */
export interface SharedCacheTier {
  /** The name of this source in `X-Cache`. */
  readonly name: string;
  /** False while every call would fail: reads then do without this tier. */
  readonly isAvailable: boolean;
  get(key: string): Promise<Buffer | undefined>;
  /** Looks again, and when there is no value, gives the lease on the key to one owner at a time. A lease expires soon. */
  claim(key: string, owner: string): Promise<Claim>;
  /** Keeps the value as one of that generation, and ends the owner's lease. */
  set(key: string, value: Buffer, of: CacheGeneration, owner?: string): Promise<void>;
  /** Ends the owner's lease. */
  release(key: string, owner: string): Promise<void>;
  remove(key: string): Promise<void>;
  /** Removes the entries of earlier generations of the group. Rejects when some may be left. */
  removeBefore(generation: CacheGeneration): Promise<void>;
}

/** The room for the key and the entry itself. */
const ENTRY_BYTES = 256;

/** A synchronous tier in this process that evicts the least recently used values. With 0 bytes it keeps nothing. */
export function memoryTier<V extends object>(maxBytes: number, bytesOf: (value: V) => Buffer): LRUCache<string, V> {
  const sizeCalculation = (value: V): number => bytesOf(value).length + ENTRY_BYTES;
  return new LRUCache<string, V>({ maxSize: Math.max(1, maxBytes), sizeCalculation });
}
