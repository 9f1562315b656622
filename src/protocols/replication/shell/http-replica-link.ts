import { Agent } from 'node:http';
import type { EncodedRecord, SnapshotStream } from '../../../kernel/index.js';
import type { PrimaryIdentity, PromiseMessage, ReplicaAnswer, ReplicaReport } from '../messages.js';
import {
  beginExchange,
  chunksOf,
  exchange,
  type Exchanged,
  type ReplicaEndpoint,
  readRest,
  unexpectedAnswer,
} from './http-exchange.js';
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

/** A replica over HTTP/1.1. Calls that wait for each other share one connection, which stays open. */
export class HttpReplicaLink implements ReplicaLink {
  readonly name: string;
  private readonly agent = new Agent({ keepAlive: true, noDelay: true, maxFreeSockets: 1 });
  private readonly endpoint: ReplicaEndpoint & { isClosed: boolean };

  /** `authorization`: what `replicationAuthorization` makes of the cluster's secret. */
  constructor(address: { readonly host: string; readonly port: number }, authorization: string) {
    const { host, port } = address;
    this.name = `${host}:${String(port)}`;
    this.endpoint = { agent: this.agent, host, port, authorization, isClosed: false };
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
    const question = { method: 'POST', path: REPLICATION_PATHS.install, headers } as const;
    const response = await beginExchange(this.endpoint, question, timeoutMs, snapshot);
    return decodeAnswer(expected(await readRest(response)).body);
  }

  async records(afterSeq: number, maxBytes: number, timeoutMs: number): Promise<readonly EncodedRecord[] | 'gone'> {
    const path = `${REPLICATION_PATHS.records}?after=${String(afterSeq)}&limit-bytes=${String(maxBytes)}`;
    const { status, body } = await this.get(path, timeoutMs, GONE);
    return status === GONE ? 'gone' : decodeRecords(afterSeq, body);
  }

  async snapshot(timeoutMs: number): Promise<SnapshotStream | undefined> {
    const question = { method: 'GET', path: REPLICATION_PATHS.snapshot } as const;
    const response = await beginExchange(this.endpoint, question, timeoutMs);
    if (response.statusCode !== OK) {
      expected(await readRest(response), NOT_FOUND);
      return undefined;
    }
    const { [POSITION_HEADER]: position, 'content-length': size } = response.headers;
    return { position: decodePosition(String(position)), sizeBytes: Number(size), chunks: chunksOf(response) };
  }

  async stateHash(seq: number | undefined, timeoutMs: number): Promise<StateHashAt | undefined> {
    const query = seq === undefined ? '' : `?seq=${String(seq)}`;
    const { status, body } = await this.get(REPLICATION_PATHS.stateHash + query, timeoutMs, NOT_FOUND);
    return status === NOT_FOUND ? undefined : decodeStateHash(body);
  }

  close(): void {
    this.endpoint.isClosed = true;
    this.agent.destroy();
  }

  private async get(path: string, timeoutMs: number, alsoExpected?: number): Promise<Exchanged> {
    return expected(await exchange(this.endpoint, { method: 'GET', path }, timeoutMs), alsoExpected);
  }

  private async post(path: string, type: string, body: Buffer, timeoutMs: number): Promise<ReplicaAnswer> {
    const question = { method: 'POST', path, headers: { 'content-type': type }, body } as const;
    return decodeAnswer(expected(await exchange(this.endpoint, question, timeoutMs)).body);
  }
}

function expected(answered: Exchanged, alsoExpected?: number): Exchanged {
  if (answered.status === OK || answered.status === alsoExpected) return answered;
  throw unexpectedAnswer(answered);
}
