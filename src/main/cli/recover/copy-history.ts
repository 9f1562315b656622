import {
  AppError,
  type CrashSites,
  type Disk,
  type Log,
  type NextTurn,
  logPositionText,
  GENESIS,
  type ChainPosition,
  type SnapshotStream,
} from '../../../kernel/index.js';
import { COLLECTIONS } from '../../../modules/stores/index.js';
import { CUSTOMERS } from '../../../modules/customers/index.js';
import {
  DocumentMachine,
  inTurns,
  type DocumentOp,
  SnapshotCodec,
  SnapshotFile,
  stateHash,
  storeStream,
  UnmatchedTransactions,
} from '../../../platform/documents/index.js';
import { beginJournal, decodeRecord, type JournalRecord } from '../../../platform/journal/index.js';
import type { ReplicaLink } from '../../../protocols/replication/index.js';
import { type Met, MetTransactions } from './met-transactions.js';

/** The longest silence of the link. */
const SILENCE_WITHIN_MS = 15_000;
const RECORDS_BYTES = 1024 * 1024;

export interface CopyPorts {
  readonly disk: Disk;
  readonly crashSites: CrashSites;
  readonly nextTurn: NextTurn;
  readonly log: Log;
}

export interface Copied {
  readonly customers: number;
  readonly position: ChainPosition;
  /** Transactions over more than one store in these documents: a start learns that it may lack their rows. */
  readonly transactions: Met;
}

/**
 * Copies the documents of `link` up to `position` into the new `directory`: one snapshot and an empty journal behind it, durable
 * when it resolves. Checks the snapshot's checksum, the chain of records and the final state. Rejects with `data-corrupt` when a
 * check fails, or with the error of the link.
 */
export async function copyHistory(
  ports: CopyPorts,
  link: ReplicaLink,
  { position, clusterId }: { readonly position: ChainPosition; readonly clusterId: string },
  directory: string,
): Promise<Copied> {
  await ports.disk.ensureDirectory(directory);
  const machine = new DocumentMachine(COLLECTIONS, GENESIS);
  const file = new SnapshotFile(ports, `${directory}/documents.json`, new SnapshotCodec(COLLECTIONS));

  const snapshot = await link.snapshot(SILENCE_WITHIN_MS);
  if (snapshot) await restore(ports, machine, file, snapshot, `${directory}/documents.json`);
  let lastAt = machine.operations.latestAtMs;
  const met = new MetTransactions();
  met.restored(machine);
  await replay(link, machine, position, (record, result) => {
    lastAt = Math.max(lastAt, record.at);
    met.applied(result);
  });

  const reached = machine.appliedPosition;
  if (reached.epoch !== position.epoch || reached.hash !== position.hash || machine.clusterId !== clusterId) {
    throw unfit(
      link,
      `its history ends at ${logPositionText(reached)} of ${machine.clusterId}, not at ${logPositionText(position)}`,
    );
  }
  const state = machine.capture();
  const theirs = await link.stateHash(undefined, SILENCE_WITHIN_MS);
  const isComparable = theirs?.position.seq === position.seq;
  if (isComparable && theirs.stateHash !== (await stateHash(state, ports.nextTurn))) {
    throw unfit(link, 'its records do not produce its state');
  }
  await file.write(state);
  const transactions = met.atTheEnd(machine);
  const withoutRow = [...transactions.decided, ...transactions.unmatched].sort();
  if (withoutRow.length > 0) await (await UnmatchedTransactions.open(ports, directory)).replace(withoutRow);
  await beginJournal(ports, directory, position, lastAt);
  return {
    customers: machine.collection(CUSTOMERS.name).documents.size,
    position,
    transactions,
  };
}

async function restore(
  { disk, nextTurn }: CopyPorts,
  machine: DocumentMachine,
  file: SnapshotFile<ReturnType<DocumentMachine['capture']>>,
  { position, chunks }: SnapshotStream,
  path: string,
): Promise<void> {
  await storeStream(disk, path, chunks);
  const data = await file.read();
  if (data?.meta.seq !== position.seq || data.meta.hash !== position.hash) {
    throw new AppError('data-corrupt', `its snapshot is not the snapshot of ${logPositionText(position)}`, {
      retry: 'safe',
    });
  }
  await inTurns(machine.restoring(data), nextTurn);
}

/** Applies the records after the state of `machine`, up to and including `end`. */
async function replay(
  link: ReplicaLink,
  machine: DocumentMachine,
  end: ChainPosition,
  each: (record: JournalRecord<DocumentOp>, result: ReturnType<DocumentMachine['apply']>) => void,
): Promise<void> {
  while (machine.appliedPosition.seq < end.seq) {
    const { seq } = machine.appliedPosition;
    const records = await link.records(seq, RECORDS_BYTES, SILENCE_WITHIN_MS);
    if (records === 'gone' || records.length === 0) throw unfit(link, `it no longer has record ${String(seq + 1)}`);
    for (const { json } of records) {
      if (machine.appliedPosition.seq === end.seq) return;
      const before = machine.appliedPosition;
      const record = decodeRecord<DocumentOp>(before, json);
      if (!record) throw unfit(link, `its record ${String(before.seq + 1)} does not follow the record before it`);
      each(record, machine.apply(record));
    }
  }
}

function unfit({ name }: ReplicaLink, why: string): AppError {
  return new AppError('data-corrupt', `${name}: ${why}`, { retry: 'safe' });
}
