import { buffer } from 'node:stream/consumers';
import { AppError, type EncodedRecord, type SnapshotStream } from '../../../kernel/index.js';
import { type NodeAnswer, NodeClient, type NodeStream } from '../../../platform/node-client/index.js';
import type { PrimaryIdentity, PromiseMessage, ReplicaAnswer, ReplicaReport } from '../messages.js';
import type { ReplicaLink } from './replica-link.js';
import {
  decodeAnswer,
  decodePosition,
  decodeRecords,
  decodeReport,
  decodeStateHash,
  encodeAppend,
  encodeInstall,
  encodePromise,
  encodeQuarantine,
  INSTALL_HEADER,
  NDJSON,
  POSITION_HEADER,
  REPLICATION_PATHS,
  type ShippedAppend,
  type StateHashAt,
} from './wire.js';

const OK = 200;
const NOT_FOUND = 404;
const GONE = 410;
const JSON_TYPE = 'application/json';
const BYTES_TYPE = 'application/octet-stream';

const MAX_QUOTED_ANSWER_LENGTH = 200;

type Answer = Pick<NodeAnswer, 'status' | 'body'>;

/** A replica over HTTP. Each message may come twice, so the client sends it again when a kept connection was closed. */
export class HttpReplicaLink implements ReplicaLink {
  readonly name: string;
  private readonly client = new NodeClient();
  private readonly origin: string;

  /** `authorization` is the result of `replicationAuthorization`. */
  constructor(
    { host, port }: { readonly host: string; readonly port: number },
    private readonly authorization: string,
  ) {
    this.name = `${host}:${String(port)}`;
    this.origin = `http://${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
  }

  async report(timeoutMs: number): Promise<ReplicaReport> {
    const { body } = await this.get(REPLICATION_PATHS.report, timeoutMs);
    return decodeReport(body);
  }

  append(message: ShippedAppend, timeoutMs: number): Promise<ReplicaAnswer> {
    return this.post(REPLICATION_PATHS.append, NDJSON, encodeAppend(message), timeoutMs);
  }

  quarantine(from: PrimaryIdentity, timeoutMs: number): Promise<ReplicaAnswer> {
    return this.post(REPLICATION_PATHS.setAside, JSON_TYPE, encodeQuarantine({ from }), timeoutMs);
  }

  promise(from: PromiseMessage['from'], timeoutMs: number): Promise<ReplicaAnswer> {
    return this.post(REPLICATION_PATHS.promise, JSON_TYPE, encodePromise({ from }), timeoutMs);
  }

  async install(from: PrimaryIdentity, snapshot: SnapshotStream, timeoutMs: number): Promise<ReplicaAnswer> {
    const { position } = snapshot;
    const headers = { [INSTALL_HEADER]: encodeInstall({ from, position }), 'content-type': BYTES_TYPE };
    const { status, chunks } = await this.stream('POST', REPLICATION_PATHS.install, timeoutMs, headers, snapshot);
    return decodeAnswer(expected({ status, body: await buffer(chunks) }).body);
  }

  async records(afterSeq: number, maxBytes: number, timeoutMs: number): Promise<readonly EncodedRecord[] | 'gone'> {
    const path = `${REPLICATION_PATHS.records}?after=${String(afterSeq)}&limit-bytes=${String(maxBytes)}`;
    const { status, body } = await this.get(path, timeoutMs, GONE);
    return status === GONE ? 'gone' : decodeRecords(afterSeq, body);
  }

  async snapshot(timeoutMs: number): Promise<SnapshotStream | undefined> {
    const { status, headers, chunks } = await this.stream('GET', REPLICATION_PATHS.snapshot, timeoutMs);
    if (status !== OK) {
      expected({ status, body: await buffer(chunks) }, NOT_FOUND);
      return undefined;
    }
    const { [POSITION_HEADER]: position, 'content-length': size } = headers;
    return { position: decodePosition(String(position)), sizeBytes: Number(size), chunks };
  }

  async stateHash(seq: number | undefined, timeoutMs: number): Promise<StateHashAt | undefined> {
    const query = seq === undefined ? '' : `?seq=${String(seq)}`;
    const { status, body } = await this.get(REPLICATION_PATHS.stateHash + query, timeoutMs, NOT_FOUND);
    return status === NOT_FOUND ? undefined : decodeStateHash(body);
  }

  close(): void {
    this.client.close();
  }

  private async get(path: string, timeoutMs: number, alsoExpected?: number): Promise<Answer> {
    const headers = { authorization: this.authorization };
    const call = { method: 'GET', path, headers, isRepeatable: true } as const;
    return expected(await this.client.call(this.origin, call, timeoutMs), alsoExpected);
  }

  private async post(path: string, type: string, body: Buffer, timeoutMs: number): Promise<ReplicaAnswer> {
    const headers = { authorization: this.authorization, 'content-type': type };
    const call = { method: 'POST', path, headers, body, isRepeatable: true } as const;
    return decodeAnswer(expected(await this.client.call(this.origin, call, timeoutMs)).body);
  }

  private stream(
    method: 'GET' | 'POST',
    path: string,
    idleMs: number,
    headers: Readonly<Record<string, string>> = {},
    upload?: SnapshotStream,
  ): Promise<NodeStream> {
    const request = { method, path, headers: { authorization: this.authorization, ...headers } };
    return this.client.stream(this.origin, request, idleMs, upload);
  }
}

function expected(answer: Answer, alsoExpected?: number): Answer {
  const { status, body } = answer;
  if (status === OK || status === alsoExpected) return answer;
  if (status === 401) throw new AppError('unauthorized', 'it has another cluster secret', { retry: 'never' });
  const detail = detailOf(body.toString('utf8')).slice(0, MAX_QUOTED_ANSWER_LENGTH).replace(/\s+/g, ' ');
  const code = status === 503 ? 'not-ready' : 'internal';
  throw new AppError(code, `it answered ${String(status)}${detail && `: ${detail}`}`, { retry: 'unknown' });
}

/** The detail of a problem document (RFC 9457), or else the whole text. */
function detailOf(text: string): string {
  try {
    const { detail } = JSON.parse(text) as { readonly detail?: unknown };
    return typeof detail === 'string' ? detail : text;
  } catch {
    return text;
  }
}
