import { storageFull, type ChainPosition } from '../../../src/kernel/index.js';
import type { HistoryEvents, OwnHistory } from '../../../src/platform/documents/document-history.js';
import type { Applied, DocumentMachine } from '../../../src/platform/documents/document-machine.js';
import type { DocumentOp } from '../../../src/platform/documents/index.js';
import type { Appended, JournalRecord } from '../../../src/platform/journal/index.js';
import type { SimulatedPrimary } from '../replication/simulated-primary.js';
import type { DocumentCluster } from './document-cluster.js';
import { DocumentCopy } from './document-copy.js';
import type { SimulatedIncarnation } from './simulated-incarnation.js';

type Done = Appended<DocumentOp, Applied>;

interface Waiting {
  readonly op: DocumentOp;
  readonly isReserved: boolean;
  readonly settle: (appended: Done) => void;
  readonly fail: (error: Error) => void;
}

/** `reserve`: room only for records that must not be refused. */
export type JournalRoom = 'plenty' | 'reserve' | 'none';

interface HistoryPorts {
  readonly cluster: DocumentCluster;
  readonly primary: SimulatedPrimary;
  readonly incarnation: SimulatedIncarnation;
  readonly room: () => JournalRoom;
  readonly usesReserve: boolean;
  /** Runs for each durable record. */
  readonly applied: (record: JournalRecord<DocumentOp>, result: Applied, machine: DocumentMachine) => void;
}

/**
 * The journal and the state of the writing process as its document store sees them, by the rules of `Journal`: appends that
 * arrive during a write share the next write; a full disk refuses appends that may not use the reserve. The written records
 * are the log of the replication's primary.
 */
export class SimulatedHistory implements OwnHistory {
  readonly missing = undefined;
  readonly settleEnd = (): Promise<void> => Promise.resolve();
  private readonly copy: DocumentCopy;
  private readonly events: HistoryEvents;
  private readonly results = new Map<number, Done>();
  private queue: Waiting[] = [];
  private isWriting = false;

  /** The primary has opened its epoch: the first record of the epoch is the last record and is not applied yet. */
  constructor(
    private readonly ports: HistoryPorts,
    eventsOf: (machine: DocumentMachine) => HistoryEvents,
  ) {
    this.copy = new DocumentCopy(ports.cluster, (record, result) => {
      this.results.set(record.seq, { record, result });
      this.events.applied?.(record, result);
      ports.applied(record, result, this.machine);
    });
    const { store } = ports.primary;
    this.copy.restart(store);
    this.events = eventsOf(this.machine);
    this.copy.catchUp(store, store.durable - 1);
  }

  get machine(): DocumentMachine {
    return this.copy.machine;
  }

  get position(): ChainPosition {
    return this.machine.appliedPosition;
  }

  get clusterId(): string | undefined {
    return this.machine.clusterId || undefined;
  }

  get firstSeq(): number {
    return this.ports.primary.store.firstSeq;
  }

  get firstToldSeq(): number {
    return this.ports.cluster.firstToldSeq;
  }

  /** Applies newly durable records before it settles their callers. */
  catchUp(): void {
    this.copy.catchUp(this.ports.primary.store);
  }

  beginEpoch(): void {
    // The primary has.
  }

  append(op: DocumentOp, isReserved = false): Promise<Done> {
    return this.ports.incarnation.promise((settle, fail) => {
      if (op.type === 'epoch-started') {
        this.catchUp();
        settle(this.results.get(this.position.seq)!);
        return;
      }
      this.queue.push({ op, isReserved, settle, fail });
      this.write();
    });
  }

  follow(): Promise<void> {
    throw new Error('the primary of the replication has done that');
  }

  readFrom(): Promise<never> {
    throw new Error('the primary of the replication ships');
  }

  positionAt(): Promise<never> {
    throw new Error('the primary of the replication ships');
  }

  openSnapshot(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  captureState(): never {
    throw new Error('the primary of the replication ships');
  }

  close(): Promise<void> {
    throw new Error('no process stops cleanly in the simulation');
  }

  private write(): void {
    if (this.isWriting || this.queue.length === 0) return;
    this.isWriting = true;
    this.ports.incarnation.after(0, () => {
      const batch = this.withRoom();
      let open = batch.length;
      const one = (): void => {
        open -= 1;
        if (open > 0) return;
        this.isWriting = false;
        this.write();
      };
      open += 1;
      for (const waiting of batch) this.submit(waiting, one);
      one();
    });
  }

  /** Writes the queue; appends without room fail. */
  private withRoom(): readonly Waiting[] {
    const batch = this.queue;
    this.queue = [];
    const room = this.ports.room();
    if (room === 'plenty') return batch;
    const kept = batch.filter(({ isReserved }) => isReserved && room === 'reserve' && this.ports.usesReserve);
    if (kept.length < batch.length) this.events.rolledBack?.();
    for (const waiting of batch) if (!kept.includes(waiting)) waiting.fail(storageFull(undefined));
    return kept;
  }

  private submit({ op, settle }: Waiting, done: () => void): void {
    const { cluster, incarnation, primary } = this.ports;
    primary.submit(cluster.numberOf(op, incarnation.clock.nowMs()), 'primary', (outcome) => {
      if (outcome.kind !== 'done') throw new Error('an open primary accepts every record');
      settle(this.results.get(outcome.seq)!);
      this.results.delete(outcome.seq);
      done();
    });
  }
}
