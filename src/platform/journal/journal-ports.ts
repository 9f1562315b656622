import type { Clock, NextTurn, ProcessControl, Timers, EncodedRecord } from '../../kernel/index.js';
import type { JournalRecord } from './record.js';
import type { RecoveryPorts, WhenEndIsMissing } from './recovery.js';

export interface JournalPorts extends RecoveryPorts {
  readonly clock: Clock;
  readonly nextTurn: NextTurn;
  readonly timers: Timers;
  readonly process: ProcessControl;
  /**
   * Milliseconds since some moment; never jumps backwards. With it the journal looks for a successor only after 250 ms, without it at
   * each batch.
   */
  readonly monotonicMs?: () => number;
}

export interface JournalOptions {
  readonly directory: string;
  /** Room reserved for appends that ask for it, so that a full disk cannot prevent a decision from being recorded. */
  readonly reserveBytes: number;
  /** `refuse` when absent. */
  readonly whenEndIsMissing?: WhenEndIsMissing | undefined;
}

/** The state machine behind the journal. All methods are called synchronously. */
export interface JournalSink<Op, Result> {
  /** Called once per durable record, in order; `append` resolves with the result. */
  apply(record: JournalRecord<Op>): Result;
  /** Every append without the reserve that is not yet durable has failed and never will be durable. */
  rollBack(): void;
  /** Called with each batch of durable, applied records, in order, before acknowledgements; not for records replayed at start. */
  durable?(records: readonly EncodedRecord[]): void;
}

export interface Appended<Op, Result> {
  readonly record: JournalRecord<Op>;
  readonly result: Result;
}
