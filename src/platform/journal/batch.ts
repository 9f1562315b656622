import { AppError, type EncodedRecord, type ChainPosition } from '../../kernel/index.js';
import { encodeLine } from '../disk/index.js';
import { decodeRecord, encodeRecord, type JournalRecord } from './record.js';
import { encodeBatchHeader } from './segment.js';

/** The end of the history that the next record follows. */
export interface HistoryEnd {
  readonly position: ChainPosition;
  /** The time of the record at `position`, 0 when there is none. */
  readonly at: number;
}

interface DraftRecord<Op> {
  readonly record: JournalRecord<Op>;
  readonly json: string;
}

/** One caller's request: a record to be made once its log position is known, or several records of another copy. */
export interface Waiting<Op, Result> {
  readonly reserved: boolean;
  /** Throws an AppError, which refuses only this request. */
  readonly draft: (end: HistoryEnd) => readonly DraftRecord<Op>[];
  readonly acknowledge: (records: readonly JournalRecord<Op>[], results: readonly Result[]) => void;
  readonly reject: (error: unknown) => void;
}

/** The records that are written and synchronised together. */
export interface Batch<Op, Result> {
  readonly entries: readonly {
    readonly waiting: Waiting<Op, Result>;
    readonly records: readonly JournalRecord<Op>[];
  }[];
  readonly bytes: Buffer;
  readonly encoded: readonly EncodedRecord[];
  readonly end: HistoryEnd;
}

/** Assigns log positions after `end`. Requests that cannot follow are rejected at once and left out of the batch. */
export function formBatch<Op, Result>(
  queue: readonly Waiting<Op, Result>[],
  end: HistoryEnd,
  durableBytes: number,
): Batch<Op, Result> {
  const entries: Batch<Op, Result>['entries'][number][] = [];
  const encoded: EncodedRecord[] = [];
  let text = encodeBatchHeader(durableBytes);
  for (const waiting of queue) {
    let drafts: readonly DraftRecord<Op>[];
    try {
      drafts = waiting.draft(end);
    } catch (error) {
      waiting.reject(error);
      continue;
    }
    for (const { record, json } of drafts) {
      const { epoch, seq, hash, at } = record;
      text += encodeLine(json);
      encoded.push({ epoch, seq, hash, json });
      end = { position: { epoch, seq, hash }, at };
    }
    entries.push({ waiting, records: drafts.map(({ record }) => record) });
  }
  return { entries, bytes: Buffer.from(text), encoded, end };
}

/** Time never goes back, whatever the clock says. */
export function draftOf<Op>(end: HistoryEnd, epoch: number, nowMs: number, op: Op): readonly DraftRecord<Op>[] {
  const [record, json] = encodeRecord(end.position, Math.max(epoch, end.position.epoch), Math.max(nowMs, end.at), op);
  return [{ record, json }];
}

/** Throws `conflict` unless each record follows its predecessor (the first follows `end`) and `expected`, if reached, matches. */
export function draftsOf<Op>(
  end: HistoryEnd,
  given: readonly EncodedRecord[],
  expected?: ChainPosition,
): readonly DraftRecord<Op>[] {
  let { position } = end;
  return given.map(({ epoch, seq, hash, json }) => {
    const record = json.includes('\n') ? undefined : decoded<Op>(position, json);
    const isOther = seq === expected?.seq && hash !== expected.hash;
    if (isOther || record?.seq !== seq || record.epoch !== epoch || record.hash !== hash) {
      throw new AppError('conflict', `record ${String(seq)} does not follow record ${String(position.seq)}`, {
        retry: 'never',
      });
    }
    position = { epoch, seq, hash };
    return { record, json };
  });
}

function decoded<Op>(position: ChainPosition, json: string): JournalRecord<Op> | undefined {
  try {
    return decodeRecord<Op>(position, json);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
