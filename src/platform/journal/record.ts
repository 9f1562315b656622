import { hash } from 'node:crypto';
import type { ChainPosition } from '../../kernel/index.js';

const HASH_DIGITS = 32;
/** The text before the operation, exactly as `recordPrefix` writes it. */
const PREFIX = /^\{"epoch":(0|[1-9]\d*),"seq":([1-9]\d*),"hash":"([0-9a-f]{32})","at":(-?\d+(?:\.\d+)?),"op":/;

/** A durable step. `hash` covers this record and, through its predecessor's hash, all records before it. */
export interface JournalRecord<Op> extends ChainPosition {
  /** Milliseconds since the Unix epoch; never less than the predecessor's. */
  readonly at: number;
  readonly op: Op;
}

/** The first 128 bits of SHA-256 over the predecessor's hash and this record's content, in hex. */
export function chainHash(previousHash: string, epoch: number, seq: number, at: number, opJson: string): string {
  const content = `${previousHash} ${String(epoch)} ${String(seq)} ${String(at)} ${opJson}`;
  return hash('sha256', content, 'hex').slice(0, HASH_DIGITS);
}

export function encodeRecord<Op>(
  previous: ChainPosition,
  epoch: number,
  at: number,
  op: Op,
): [JournalRecord<Op>, string] {
  const seq = previous.seq + 1;
  const opJson = JSON.stringify(op);
  const hash = chainHash(previous.hash, epoch, seq, at, opJson);
  return [{ epoch, seq, hash, at, op }, `${recordPrefix(epoch, seq, hash, at)}${opJson}}`];
}

/**
 * The record in `json` if it follows `previous` (next number, no older epoch, matching hash), else undefined. The hash covers the
 * text, not a re-serialised value, so key order and number formats cannot matter.
 */
export function decodeRecord<Op>(previous: ChainPosition, json: string): JournalRecord<Op> | undefined {
  const head = decodeHead(previous, json);
  return head && { ...head.position, at: head.at, op: JSON.parse(head.opJson) as Op };
}

/** The position of the record in `json` if it follows `previous`, as in `decodeRecord`; else undefined. */
export function chainedPosition(previous: ChainPosition, json: string): ChainPosition | undefined {
  return decodeHead(previous, json)?.position;
}

function decodeHead(
  previous: ChainPosition,
  json: string,
): { readonly position: ChainPosition; readonly at: number; readonly opJson: string } | undefined {
  const [prefix, epochDigits, seqDigits, hash, atDigits] = PREFIX.exec(json) ?? [];
  if (prefix === undefined || hash === undefined || !json.endsWith('}')) return undefined;
  const epoch = Number(epochDigits);
  const seq = Number(seqDigits);
  const at = Number(atDigits);
  if (seq !== previous.seq + 1 || epoch < previous.epoch) return undefined;
  const opJson = json.slice(prefix.length, -1);
  if (hash !== chainHash(previous.hash, epoch, seq, at, opJson)) return undefined;
  return { position: { epoch, seq, hash }, at, opJson };
}

/** The position of the record in `json`; undefined when `json` is no record. */
export function positionInRecord(json: string): ChainPosition | undefined {
  const [, epoch, seq, hash] = PREFIX.exec(json) ?? [];
  return hash === undefined ? undefined : { epoch: Number(epoch), seq: Number(seq), hash };
}

function recordPrefix(epoch: number, seq: number, hash: string, at: number): string {
  return `{"epoch":${String(epoch)},"seq":${String(seq)},"hash":"${hash}","at":${String(at)},"op":`;
}
