import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';

/** Proves, with a secret of this system's processes, that one of them added the Idempotency-Key. */
export const ADDED_KEY_HEADER = 'x-key-added';
/** Beside ADDED_KEY_HEADER: the incarnation of the app, see `incarnationOf`, that was active when the sender made the key. */
export const KEY_MADE_FOR_HEADER = 'x-key-made-for';

/** Names one incarnation of the app to the processes that call it. */
export function incarnationOf({ pid, epoch }: { readonly pid: number; readonly epoch: number }): string {
  return `${String(epoch)}-${String(pid)}`;
}

const OWNER_LENGTH = 8;
const NETWORK_GROUPS = 4;
const GROUPS = 8;
const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** The owner of a request's Idempotency-Key: the API key, or the address without API keys. Short, for records. */
export function keyOwnerOf({ caller, ip }: Pick<FastifyRequest, 'caller' | 'ip'>): string {
  const who = caller === 'anonymous' ? `address ${networkOf(ip)}` : `key ${caller}`;
  return createHash('sha256').update(who).digest('base64url').slice(0, OWNER_LENGTH);
}

/** For an IPv6 address its first 64 bits, because one machine owns all addresses behind them. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const mapped = MAPPED_IPV4.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const left = head.split(':').filter((group) => group !== '');
  const right = (tail ?? '').split(':').filter((group) => group !== '');
  const zeros = Array<string>(Math.max(0, GROUPS - left.length - right.length)).fill('0');
  const groups = tail === undefined ? left : [...left, ...zeros, ...right];
  return groups
    .slice(0, NETWORK_GROUPS)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
