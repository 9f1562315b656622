import type { Clock, NextTurn, ProcessControl, Timers, EncodedRecord } from '../../kernel/index.js';
import type { JournalRecord } from './record.js';
import type { RecoveryPorts, WhenEndIsMissing } from './recovery.js';

export interface JournalPorts extends RecoveryPorts {
  readonly clock: Clock;
  readonly nextTurn: NextTurn;
  readonly timers: Timers;
  readonly process: ProcessControl;
}

export interface JournalOptions {
  readonly directory: string;
  /** Room kept for appends that ask for it, so that a full disk cannot stop a decision from being recorded. */
  readonly reserveBytes: number;
  /** `refuse` when absent. */
  readonly whenEndIsMissing?: WhenEndIsMissing | undefined;
}

/** The state machine behind the journal. All are called synchronously. */
export interface JournalSink<Op, Result> {
  /** Once per record, in order, when it is durable; its result is what `append` resolves with. */
  apply(record: JournalRecord<Op>): Result;
  /** Every append that asked for no reserve and is not yet durable has failed and never will be. */
  rollBack(): void;
  /**
   * Told what has become durable together, after it was applied and before anyone is acknowledged, in the order of the
   * history. What was replayed at the start is not told.
   */
  durable?(records: readonly EncodedRecord[]): void;
}

export interface Appended<Op, Result> {
  readonly record: JournalRecord<Op>;
  readonly result: Result;
}
