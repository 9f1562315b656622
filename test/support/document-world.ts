import { type Disk, isAppError } from '../../src/kernel/index.js';
import { NO_CRASH_SITES } from '../../src/platform/crash-sites/index.js';
import {
  type CollectionDeclaration,
  type DocumentId,
  type DocumentOutcome,
  DocumentStore,
  type DocumentWrite,
  type DocumentView,
} from '../../src/platform/documents/index.js';
import { audit, AuditedClient, type Reply, type Send } from './audited-client.js';
import { PROMPT_TIMERS } from './prompt-timers.js';
import { RecordingLog } from './recording-log.js';
import { RecordingProcessControl } from './recording-process-control.js';
import { SeededRandom } from './seeded-random.js';
import { SimulatedClock } from './simulated-clock.js';
import { SimulatedDisk } from './simulated-disk.js';

export const DOCUMENTS_DIRECTORY = '/data/documents';
const SNAPSHOT = /\/documents-\d{16}-\d{6}\.json$/;
/** A snapshot that is being written. */
export const SNAPSHOT_PART = /\/documents-\d{16}-\d{6}\.json\.tmp$/;
const COLLECTION = 'customers';
export const DOCUMENTS: CollectionDeclaration = { name: COLLECTION, counterField: 'orders_count' };
const LIMIT = 1_000_000;

export interface DocumentWorldOptions {
  readonly seed?: number;
  readonly clients?: number;
  readonly disk?: SimulatedDisk;
  readonly snapshotEveryBytes?: number;
  readonly journalReserveBytes?: number;
  /** Collections beside the customers; clients write only customers. */
  readonly moreCollections?: readonly CollectionDeclaration[];
  /** Left to the test. */
  readonly startsNoEpoch?: boolean;
  /** Whoever used the disk before runs on. */
  readonly isBeside?: boolean;
  /** A seam for planted bugs. */
  readonly spoilDisk?: (disk: Disk) => Disk;
}

/** One document store on one simulated disk over many processes, and clients that rely only on their answers. */
export class DocumentWorld {
  readonly disk: SimulatedDisk;
  readonly clock = new SimulatedClock();
  readonly log = new RecordingLog();
  readonly clients: readonly AuditedClient[];
  process = new RecordingProcessControl();
  private current: DocumentStore | undefined;

  constructor(private readonly options: DocumentWorldOptions = {}) {
    const random = new SeededRandom(options.seed ?? 1);
    this.disk = options.disk ?? new SimulatedDisk(random);
    this.clients = Array.from(
      { length: options.clients ?? 1 },
      (_, index) => new AuditedClient(`client ${String(index)}`, COLLECTION, new SeededRandom(random.below(2 ** 32))),
    );
  }

  get store(): DocumentStore {
    if (!this.current) throw new Error('no store was opened');
    return this.current;
  }

  /** Starts a process. */
  async open(): Promise<void> {
    this.process = new RecordingProcessControl();
    const attached = this.options.isBeside ? this.disk.attachBeside() : this.disk.attach();
    const ports = {
      disk: this.options.spoilDisk?.(attached) ?? attached,
      crashSites: NO_CRASH_SITES,
      log: this.log,
      clock: this.clock,
      random: new SeededRandom(this.disk.calls.length),
      nextTurn: setImmediate,
      timers: PROMPT_TIMERS,
      process: this.process,
    };
    this.current = undefined;
    const store = await DocumentStore.open(ports, {
      directory: DOCUMENTS_DIRECTORY,
      collections: [DOCUMENTS, ...(this.options.moreCollections ?? [])],
      snapshotEveryBytes: this.options.snapshotEveryBytes ?? 1_000_000,
      journalReserveBytes: this.options.journalReserveBytes ?? 0,
    });
    if (!(this.options.startsNoEpoch ?? false)) await store.startEpoch({ epoch: store.position.epoch + 1 });
    this.current = store;
  }

  create(name: string, key?: string): Promise<DocumentWrite> {
    return this.store.create(COLLECTION, { name }, stamp(key));
  }

  /** With `ifName`, only if the document has that name. */
  replace(id: number, name: string, ifName?: string, key?: string): Promise<DocumentWrite> {
    return this.store.replace(COLLECTION, id, { name }, stamp(key), isNamed(ifName));
  }

  delete(id: number, ifName?: string): Promise<DocumentWrite> {
    return this.store.delete(COLLECTION, id, stamp(undefined), isNamed(ifName));
  }

  names(): [id: DocumentId, name: unknown][] {
    return this.store.page(COLLECTION, 0, LIMIT).documents.map((shown) => [shown.id, shown['name']]);
  }

  /** All clients write concurrently, `count` times each, until one write is not answered. */
  async write(count: number): Promise<void> {
    const { current, process } = this;
    if (!current) return;
    const send = sendTo(current, process);
    await Promise.all(
      this.clients.map(async (client) => {
        for (let left = count; left > 0 && client.open === undefined; left -= 1) await client.write(send);
      }),
    );
  }

  /** The broken promises of the store, now and after the clients have repeated their unanswered writes. */
  async audit(): Promise<string[]> {
    const send = sendTo(this.store, this.process);
    const found = audit(this.clients, this.stored());
    await Promise.all(this.clients.map((client) => client.repeatOpen(send)));
    await Promise.all(this.clients.map((client) => client.replay(send, 5)));
    return [...found, ...audit(this.clients, this.stored())];
  }

  async reopenAfterPowerLoss(): Promise<void> {
    this.disk.losePower();
    await this.open();
  }

  snapshotText(): string | undefined {
    return this.disk.image().get(snapshotPathIn(this.disk.image()))?.toString();
  }

  private stored(): { books: Map<number, string>; customers: Map<number, string> } {
    return { books: new Map(), customers: new Map(this.names().map(([id, name]) => [Number(id), String(name)])) };
  }
}

function isNamed(name: string | undefined): ((current: DocumentView) => boolean) | undefined {
  return name === undefined ? undefined : (current) => current['name'] === name;
}

let operations = 0;

function stamp(key: string | undefined): { id: string; scope?: string; bodyHmac?: string } {
  operations += 1;
  const id = `operation-${String(operations)}`;
  return key === undefined ? { id } : { id, scope: key, bodyHmac: 'hmac' };
}

/** Answers like the app: a known key gets its earlier answer; a stopped process does not answer. */
function sendTo(store: DocumentStore, process: RecordingProcessControl): Send {
  return async ({ key, action, id = 0, content }) => {
    const known = store.findOperation({ scope: key });
    if (known) return replyTo(known.outcome);
    try {
      const write =
        action === 'create'
          ? store.create(COLLECTION, { name: content }, stamp(key))
          : action === 'replace'
            ? store.replace(COLLECTION, id, { name: content }, stamp(key))
            : store.delete(COLLECTION, id, stamp(key));
      const written = await write;
      if (process.isStopped) return undefined;
      return written.done ? replyTo(written.outcome) : { status: 404, body: '' };
    } catch (error) {
      return isAppError(error, 'storage-full') ? { status: 503, body: '' } : undefined;
    }
  };
}

function replyTo({ change, document }: DocumentOutcome): Reply {
  return { status: { created: 201, replaced: 200, deleted: 204 }[change], body: JSON.stringify(document ?? '') };
}

/** The newest snapshot; empty when there is none. */
export function snapshotPathIn(image: ReadonlyMap<string, Buffer>): string {
  const paths = [...image.keys()].filter((path) => SNAPSHOT.test(path));
  return paths.sort().at(-1) ?? '';
}
