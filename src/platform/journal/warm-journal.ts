import { join } from 'node:path';
import type { ChainPosition, Disk, NextTurn } from '../../kernel/index.js';
import type { JournalRecord } from './record.js';
import type { ReadAhead } from './recovery.js';
import { firstSeqOf, incarnationOf, type KnownPrefix } from './segment.js';
import { livingAmong, segmentsAmong } from './segment-names.js';
import { Astray, SegmentAhead } from './segment-ahead.js';

export interface WarmJournalSink<Op> {
  /** Called with the records after the covered ones, in order, once no recovery can lose them. */
  apply(record: JournalRecord<Op>): void;
  /** A segment begins after record `after`, the last one that was applied. A snapshot of this position may follow. */
  segmentBegan(after: ChainPosition): void;
}

interface WarmJournalPorts {
  readonly disk: Disk;
  readonly nextTurn: NextTurn;
}

/**
 * Reads a journal that another process writes, without changing anything, so that a later recovery need not read it.
 *
 * Invariant: it applies only records that were durable when their bytes were read: those that a later batch header or a later segment
 * vouches for. A writer whose disk is full cuts off and writes again only what nothing vouches for.
 */
export class WarmJournal<Op> implements ReadAhead {
  private readonly prefixes = new Map<string, readonly KnownPrefix[]>();
  private current: SegmentAhead<Op> | undefined;

  /** The sink has the records up to `position`. */
  constructor(
    private readonly ports: WarmJournalPorts,
    private readonly directory: string,
    public position: ChainPosition,
    private readonly sink: WarmJournalSink<Op>,
  ) {}

  known(segment: string): readonly KnownPrefix[] {
    return this.prefixes.get(segment) ?? [];
  }

  /**
   * Reads on, in short steps, until the end of what is certain. One call at a time. Throws `Astray` when the records that follow
   * those it has are not there, or do not follow: then a new one must begin from the newest snapshot.
   */
  async look(): Promise<void> {
    const names = livingAmong(segmentsAmong(await this.ports.disk.list(this.directory)));
    for (const name of this.prefixes.keys()) {
      if (!names.includes(name) && name !== this.current?.name) this.prefixes.delete(name);
    }
    this.current ??= await this.begin(names);
    while (this.current !== undefined) {
      const successor = names.find((name) => isLater(name, this.current?.name ?? ''));
      const lastSeq = successor === undefined ? Infinity : lastSeqBefore(successor);
      await this.readOn(this.current, lastSeq);
      if (successor === undefined) return;
      const next = await this.open(successor);
      // Its header is still being written.
      if (next === undefined) return;
      await this.current.close();
      this.current = next;
    }
  }

  async close(): Promise<void> {
    await this.current?.close();
    this.current = undefined;
  }

  /** The segment that holds the next record, if it is there. */
  private begin(names: readonly string[]): Promise<SegmentAhead<Op> | undefined> | undefined {
    const name = names.findLast((one) => (firstSeqOf(one) ?? Infinity) <= this.position.seq + 1);
    if (name !== undefined) return this.open(name);
    if (names.length > 0)
      throw new Astray(`${this.directory}: the records after ${String(this.position.seq)} are gone`);
    return undefined;
  }

  private async open(name: string): Promise<SegmentAhead<Op> | undefined> {
    const path = join(this.directory, name);
    const segment = await SegmentAhead.open<Op>(this.ports, path, name);
    if (segment === undefined) return undefined;
    try {
      this.enter(segment);
    } catch (error) {
      await segment.close();
      throw error;
    }
    return segment;
  }

  private enter({ path, after }: SegmentAhead<Op>): void {
    if (after.seq === this.position.seq) {
      if (after.hash !== this.position.hash) throw new Astray(`${path} continues another history`);
      this.sink.segmentBegan(this.position);
    } else if (after.seq > this.position.seq) {
      throw new Astray(`${path}: the records before it, after ${String(this.position.seq)}, are not there`);
    }
  }

  private async readOn(segment: SegmentAhead<Op>, lastSeq: number): Promise<void> {
    for await (const records of segment.read(lastSeq)) {
      for (const record of records) this.take(record, segment);
      this.prefixes.set(segment.name, segment.prefixes);
    }
    if (lastSeq !== Infinity && this.position.seq !== lastSeq) {
      throw new Astray(`${segment.path} does not end with record ${String(lastSeq)}`);
    }
  }

  private take(record: JournalRecord<Op>, { path }: SegmentAhead<Op>): void {
    const { epoch, seq, hash } = record;
    if (seq < this.position.seq) return;
    if (seq === this.position.seq) {
      if (hash !== this.position.hash) throw new Astray(`${path}: record ${String(seq)} belongs to another history`);
      return;
    }
    this.sink.apply(record);
    this.position = { epoch, seq, hash };
  }
}

/** Whether a segment stands after another one in the order of a history. */
function isLater(name: string, other: string): boolean {
  const [own, others] = [incarnationOf(name), incarnationOf(other)];
  return own > others || (own === others && (firstSeqOf(name) ?? 0) > (firstSeqOf(other) ?? 0));
}

function lastSeqBefore(successor: string): number {
  return (firstSeqOf(successor) ?? 1) - 1;
}
