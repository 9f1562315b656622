import type { SqlDatabase, SqlWriteScope } from '../../platform/sql/index.js';

/** One run of a saga. */
export interface SagaRef {
  /** Rises from saga to saga: the participant that starts sagas allots it. */
  readonly number: number;
  /** Random, so that a number which an older copy of a file allots again is noticed. */
  readonly id: string;
}

/** Must survive a round trip through JSON: after a restart it is read from a row. */
export type SagaData = Readonly<Record<string, unknown>>;

/** Something that has happened and is durable, told to the participant whose step the table names. */
export interface SagaEvent {
  readonly saga: SagaRef;
  readonly name: string;
  readonly data: SagaData;
}

/**
 * A step's answer: one of the events that the table allows it, or `later`: not now, and nothing of this call is kept. A step that
 * answers `later` is tried again with backoff; when its budget is used up, its refusal is told in its place where the
 * table says so, with the data that came in and `reason`; otherwise the event is parked.
 */
export type StepOutcome =
  | {
      readonly event: string;
      readonly data: SagaData;
      /** The set of rows that the step worked on, for the timeline; 0 when absent. */
      readonly set?: number;
    }
  | { readonly later: string };

/**
 * The work of one step. It runs at most once per saga with an effect, inside the commit that also writes the step row, so it is
 * synchronous and may run only statements of its database's write handle. It must answer from `data` and its own rows alone. An
 * error that it throws leaves nothing and is tried again: an error never compensates.
 */
export type StepWork = (scope: SqlWriteScope, saga: SagaRef, data: SagaData) => StepOutcome;

/** A module that takes part in sagas: one SQL file, and the work of each step that the table gives to this name. */
export interface SagaParticipant {
  readonly name: string;
  readonly database: Pick<SqlDatabase, 'writer' | 'writeHandle' | 'reader' | 'damaged'>;
  readonly steps: Readonly<Record<string, StepWork>>;
}

/**
 * Where the event of a step row is on its way. `pending` and `parked` rows form the outbox. `superseded`: the saga ended before
 * it was delivered. `end`: the event ends the saga, so no participant waits for it.
 */
export type DeliveryMark = 'pending' | 'parked' | 'delivered' | 'superseded' | 'end';

/** A durable step: it is the inbox mark of the event that came in, and the outbox row of the event that went out. */
export interface StepRecord {
  readonly saga: SagaRef;
  readonly step: string;
  /** The event that led to this step; undefined where the saga was started. */
  readonly eventIn: string | undefined;
  readonly event: string;
  readonly data: SagaData;
  readonly atMs: number;
  /** The set of rows that the step worked on; 0: it worked on none that belongs to a set. */
  readonly set: number;
  readonly delivery: DeliveryMark;
  /** Counted tries to deliver `event` that have failed, as the row has them. */
  readonly attempts: number;
  /** When the next try is due, in wall-clock time; 0 before the first has failed. */
  readonly nextAtMs: number;
}

/** What the sender of an event notes beside its row. */
export interface DeliveryNote {
  readonly number: number;
  readonly step: string;
  readonly delivery: DeliveryMark;
  readonly attempts: number;
  readonly nextAtMs: number;
}

/** `error`: this try has left nothing, or its end is unknown. `later`: the step answered so, and has left nothing. */
export type Reaction = { readonly record: StepRecord } | { readonly later: string } | { readonly error: unknown };

/** The rows of one participant. The relay knows nothing else of it. */
export interface SagaFile {
  readonly participant: string;
  /**
   * Gives the event to its step, and calls `settled` once. A `record` is durable: of this call, or of an earlier one with the
   * same event, and then this call had no effect. `isLastTry`: a step that still answers `later` is exhausted.
   */
  react(event: SagaEvent, isLastTry: boolean, settled: (reaction: Reaction) => void): void;
  /** Becomes durable with a later commit of this file, in the order of the calls; a crash may lose it. */
  note(note: DeliveryNote): void;
  /** Every saga with a lower number has ended, and its rows may be gone. */
  readonly prunedBelow: number;
  /** The outbox: `pending` and `parked` rows, oldest first. */
  undelivered(): readonly StepRecord[];
  /** The rows of one saga. */
  recordsOf(number: number): readonly StepRecord[];
}
