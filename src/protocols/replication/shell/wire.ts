import { crc32 } from 'node:zlib';
import { AppError, type ChainPosition, type EncodedRecord } from '../../../kernel/index.js';
import { chainedPosition, positionInRecord } from '../../../platform/journal/index.js';
import type {
  AppendMessage,
  InstallMessage,
  PrimaryIdentity,
  PromiseMessage,
  ReplicaAnswer,
  ReplicaReport,
  ReplicaVerdict,
  QuarantineMessage,
} from '../messages.js';

/**
 * The internal messages as bytes. Invariant: decoding restores exactly what was encoded, and a body with a changed byte is
 * refused. Records travel as the journals' text, covered by their hash chain; a checksum covers the envelope around them.
 */

export const REPLICATION_PATHS = {
  report: '/replication/report',
  append: '/replication/append',
  setAside: '/replication/set-aside',
  install: '/replication/install',
  promise: '/replication/promise',
  records: '/replication/records',
  snapshot: '/replication/snapshot',
  stateHash: '/replication/state-hash',
} as const;

/** Limit of an append's body. A single record is smaller, because a request's body is at most 1 MiB. */
export const APPEND_LIMIT_BYTES = 16 * 1024 * 1024;

export const NDJSON = 'application/x-ndjson';

/** The header of an install that describes the snapshot in the body. */
export const INSTALL_HEADER = 'x-replication-install';

/** The header with the log position of a requested snapshot. */
export const POSITION_HEADER = 'x-replication-position';

/** An append with the fields that the replica needs beside the records. */
export interface ShippedAppend extends Omit<AppendMessage, 'kind'> {
  /** The address to which replicas forward clients' writes: `http://host:port`. */
  readonly primaryUrl: string;
  /** Asks the replica to keep its state hash after the last of these records. */
  readonly audit: boolean;
}

export interface StateHashAt {
  readonly position: ChainPosition;
  readonly stateHash: string;
}

type Told<Message extends { readonly kind: string }> = Omit<Message, 'kind'>;

const NEWLINE = '\n';
const HASH = /^[0-9a-f]{32}$/;
const POSITION = /^(\d{1,16})\.(\d{1,16})\.([0-9a-f]{32})$/;
const CHECKSUM = /^(.+),"crc":"([0-9a-f]{8})"\}$/s;
const VERDICTS: ReadonlySet<unknown> = new Set<ReplicaVerdict>([
  'accepted',
  'gap',
  'diverged',
  'stale-epoch',
  'foreign-cluster',
]);

/** One line of JSON for the envelope, then one line per record. */
export function encodeAppend({ from, after, durableSeq, records, primaryUrl, audit }: ShippedAppend): Buffer {
  let text = sealed({ from: identity(from), after: positionText(after), durableSeq, primaryUrl, audit });
  for (const { json } of records) text += NEWLINE + json;
  return Buffer.from(text);
}

/** Throws `malformed-request` when the body is not a whole append, or its records do not follow each other. */
export function decodeAppend(body: Buffer): ShippedAppend {
  const [envelope = '', ...lines] = body.toString('utf8').split(NEWLINE);
  const { from, after, durableSeq, primaryUrl, audit } = unsealed(envelope);
  if (!isCount(durableSeq) || typeof primaryUrl !== 'string' || typeof audit !== 'boolean')
    throw malformed('the envelope is incomplete');
  const start = positionOf(after);
  return { from: identityOf(from), after: start, durableSeq, records: chained(start, lines), primaryUrl, audit };
}

/** Describes the snapshot in the body; travels in a header. */
export function encodeInstall({ from, position }: Told<InstallMessage>): string {
  return Buffer.from(sealed({ from: identity(from), position: positionText(position) })).toString('base64url');
}

export function decodeInstall(header: string): Told<InstallMessage> {
  const { from, position } = unsealed(Buffer.from(header, 'base64url').toString('utf8'));
  return { from: identityOf(from), position: positionOf(position) };
}

export function encodeQuarantine({ from }: Told<QuarantineMessage>): Buffer {
  return Buffer.from(sealed({ from: identity(from) }));
}

export function decodeQuarantine(body: Buffer): Told<QuarantineMessage> {
  return { from: identityOf(unsealed(body.toString('utf8'))['from']) };
}

export function encodePromise({ from: { epoch, primaryId } }: Told<PromiseMessage>): Buffer {
  return Buffer.from(sealed({ from: { epoch, primaryId } }));
}

export function decodePromise(body: Buffer): Told<PromiseMessage> {
  return { from: claimOf(unsealed(body.toString('utf8'))['from']) };
}

/** One line of JSON per record; empty when there are none. */
export function encodeRecords(records: readonly EncodedRecord[]): Buffer {
  return Buffer.from(records.map(({ json }) => json).join(NEWLINE));
}

/** Throws `malformed-request` on a gap after `afterSeq`; the caller checks that the first record continues its own history. */
export function decodeRecords(afterSeq: number, body: Buffer): readonly EncodedRecord[] {
  if (body.length === 0) return [];
  const [first = '', ...rest] = body.toString('utf8').split(NEWLINE);
  const head = positionInRecord(first);
  if (head?.seq !== afterSeq + 1 || !first.endsWith('}')) {
    throw malformed(`the records do not begin with record ${String(afterSeq + 1)}`);
  }
  return [shipped(head, first), ...chained(head, rest)];
}

export function encodeAnswer({ verdict, report }: ReplicaAnswer): Buffer {
  return Buffer.from(JSON.stringify({ verdict, report: reported(report) }));
}

export function decodeAnswer(body: Buffer): ReplicaAnswer {
  const { verdict, report } = parsed(body.toString('utf8'));
  if (!VERDICTS.has(verdict)) throw malformed('unknown verdict');
  return { verdict: verdict as ReplicaVerdict, report: reportOf(report) };
}

export function encodeReport(report: ReplicaReport): Buffer {
  return Buffer.from(JSON.stringify(reported(report)));
}

export function decodeReport(body: Buffer): ReplicaReport {
  return reportOf(parsed(body.toString('utf8')));
}

export function encodeStateHash({ position, stateHash }: StateHashAt): Buffer {
  return Buffer.from(JSON.stringify({ position: positionText(position), stateHash }));
}

export function decodeStateHash(body: Buffer): StateHashAt {
  const { position, stateHash } = parsed(body.toString('utf8'));
  if (typeof stateHash !== 'string' || stateHash === '') throw malformed('the state hash is missing');
  return { position: positionOf(position), stateHash };
}

/** `<epoch>.<seq>.<hash>`, for headers. */
export function encodePosition({ epoch, seq, hash }: ChainPosition): string {
  return `${String(epoch)}.${String(seq)}.${hash}`;
}

export function decodePosition(text: string | undefined): ChainPosition {
  const [, epoch, seq, hash] = POSITION.exec(text ?? '') ?? [];
  return positionOf({ epoch: Number(epoch), seq: Number(seq), hash });
}

function chained(after: ChainPosition, lines: readonly string[]): EncodedRecord[] {
  let previous = after;
  return lines.map((json) => {
    const position = chainedPosition(previous, json);
    if (position === undefined) {
      throw malformed(`record ${String(previous.seq + 1)} does not follow the record before it`);
    }
    previous = position;
    return shipped(position, json);
  });
}

function shipped({ epoch, seq, hash }: ChainPosition, json: string): EncodedRecord {
  return { epoch, seq, hash, json };
}

function sealed(value: Readonly<Record<string, unknown>>): string {
  const open = JSON.stringify(value).slice(0, -1);
  return `${open},"crc":"${checksum(open)}"}`;
}

function unsealed(text: string): Record<string, unknown> {
  const [, open, crc] = CHECKSUM.exec(text) ?? [];
  if (open === undefined || checksum(open) !== crc) throw malformed('the checksum of the envelope is wrong');
  return parsed(`${open}}`);
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}

function parsed(text: string): Record<string, unknown> {
  try {
    return objectOf(JSON.parse(text));
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw malformed('the body is not JSON', error);
  }
}

/** Copies only the agreed fields, whatever else the object carries. */
function identity({ clusterId, epoch, primaryId }: PrimaryIdentity): PrimaryIdentity {
  return { clusterId, epoch, primaryId };
}

function positionText({ epoch, seq, hash }: ChainPosition): ChainPosition {
  return { epoch, seq, hash };
}

function reported(report: ReplicaReport): ReplicaReport {
  const { clusterId, promisedEpoch, promisedPrimaryId, position, firstSeq, canVote } = report;
  return { clusterId, promisedEpoch, promisedPrimaryId, position: positionText(position), firstSeq, canVote };
}

function identityOf(value: unknown): PrimaryIdentity {
  const { clusterId } = objectOf(value);
  if (typeof clusterId !== 'string' || clusterId === '') throw malformed('from.clusterId is missing');
  return { clusterId, ...claimOf(value) };
}

function claimOf(value: unknown): PromiseMessage['from'] {
  const { epoch, primaryId } = objectOf(value);
  if (!isCount(epoch) || epoch === 0 || typeof primaryId !== 'string' || primaryId === '') {
    throw malformed('from.epoch or from.primaryId is missing');
  }
  return { epoch, primaryId };
}

function positionOf(value: unknown): ChainPosition {
  const { epoch, seq, hash } = objectOf(value);
  if (!isCount(epoch) || !isCount(seq) || typeof hash !== 'string' || !HASH.test(hash)) {
    throw malformed('a position needs epoch, seq and hash');
  }
  return { epoch, seq, hash };
}

function reportOf(value: unknown): ReplicaReport {
  const { clusterId, promisedEpoch, promisedPrimaryId, position, firstSeq, canVote } = objectOf(value);
  const isWhole =
    isTextOrAbsent(clusterId) &&
    isCount(promisedEpoch) &&
    isTextOrAbsent(promisedPrimaryId) &&
    isCount(firstSeq) &&
    typeof canVote === 'boolean';
  if (!isWhole) throw malformed('the report is incomplete');
  return { clusterId, promisedEpoch, promisedPrimaryId, position: positionOf(position), firstSeq, canVote };
}

function objectOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw malformed('an object is missing');
  return value as Record<string, unknown>;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

function malformed(detail: string, cause?: unknown): AppError {
  return new AppError('malformed-request', detail, { retry: 'never', cause });
}
