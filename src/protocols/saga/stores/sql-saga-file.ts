import type { Statement } from 'better-sqlite3';
import { AppError, type Clock, type CrashSites } from '../../../kernel/index.js';
import type { SqlWriteScope } from '../../../platform/sql/index.js';
import { RowSeal, sealOf } from '../../../platform/sql-check/index.js';
import { type SagaDefinition, START } from '../core/definition.js';
import { decideReaction, type Told, toldBy } from '../core/reaction.js';
import type { ComparedFile, ComparedRow } from '../shell/compare-files.js';
import type { PrunedFile } from '../shell/pruning.js';
import { ROWS_PER_SAGA } from './append-saga-steps.migration.js';
import { OutboxMark } from './outbox-mark.js';
import { SqlComparedFile } from './sql-compared-file.js';
import type {
  DeliveryMark,
  DeliveryNote,
  Reaction,
  SagaData,
  SagaEvent,
  SagaFile,
  SagaParticipant,
  SagaRef,
  StepRecord,
} from '../ports.js';

interface StepRow {
  readonly id: number;
  readonly number: number;
  readonly step: string;
  readonly sagaId: string;
  readonly eventIn: string | null;
  readonly event: string;
  readonly data: string;
  readonly atMs: number;
  readonly setNumber: number;
  readonly seal: number | null;
  readonly delivery: DeliveryMark;
  readonly attempts: number;
  readonly nextAtMs: number;
}

const COLUMNS = `id, saga_number AS number, step, saga_id AS sagaId, event_in AS eventIn, event, data, at_ms AS atMs,
  set_number AS setNumber, seal, delivery, attempts, next_at_ms AS nextAtMs`;
const PRUNED_AT_ONCE = 1_000;
/** In SQL: of the saga whose number is the parameter. */
const OF_SAGA = `id >= ? * ${String(ROWS_PER_SAGA)} AND id < (? + 1) * ${String(ROWS_PER_SAGA)}`;
/** In SQL: the key of the first row of the saga whose number follows. */
const FROM = `${String(ROWS_PER_SAGA)} *`;

/**
 * The step rows of one participant in its SQL file.
 *
 * Invariant: the effect of a step, its row and the event that the row tells are one commit, so none of them is ever without the
 * others. All steps that arrive in one turn of the event loop share that commit, each under its own savepoint.
 */
export class SqlSagaFile implements SagaFile, ComparedFile, PrunedFile {
  readonly participant: string;
  private readonly ofSaga: Statement<[number, number], StepRow>;
  private readonly insert: Statement<
    [number, number, string, string, string | null, string, string, number, number, number, DeliveryMark]
  >;
  private readonly writeNote: Statement<[DeliveryMark, number, number, number, number, string]>;
  private readonly raisePoint: Statement<[number]>;
  private readonly deleteBelow: Statement<[number, number]>;
  private readonly readForgotten: Statement<[], number>;
  private readonly raiseConfirmed: Statement<[number]>;
  private readonly readOfSaga: Statement<[number, number], StepRow>;
  private readonly readOutbox: Statement<[], StepRow>;
  private readonly readNext: Statement<[], number>;
  private readonly compared: SqlComparedFile;
  private readonly seal: RowSeal;
  private readonly mark: OutboxMark;
  private readonly notes: DeliveryNote[] = [];
  private isDeferred = false;

  /** Throws when the steps of the participant are not those that the table gives to it. */
  constructor(
    private readonly ports: { readonly clock: Clock; readonly crashSites: CrashSites },
    private readonly definition: SagaDefinition,
    private readonly owner: SagaParticipant,
  ) {
    this.participant = owner.name;
    assertSteps(definition, owner);
    const { writeHandle: write, reader, damaged } = owner.database;
    this.seal = new RowSeal('saga_steps', damaged);
    this.mark = new OutboxMark(write);
    this.ofSaga = write.prepare(`SELECT ${COLUMNS} FROM saga_steps WHERE ${OF_SAGA} ORDER BY id`);
    this.insert = write.prepare(
      `INSERT INTO saga_steps
         (id, saga_number, step, saga_id, event_in, event, data, at_ms, set_number, seal, delivery)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.writeNote = write.prepare(
      `UPDATE saga_steps SET delivery = ?, attempts = ?, next_at_ms = ? WHERE ${OF_SAGA} AND step = ?`,
    );
    this.readNext = write
      .prepare<[], number>(
        `SELECT max(coalesce((SELECT max(id) FROM saga_steps) / ${String(ROWS_PER_SAGA)} + 1, 1), pruned_below) FROM saga_retention`,
      )
      .pluck();
    this.raisePoint = write.prepare('UPDATE saga_retention SET pruned_below = max(pruned_below, ?)');
    this.deleteBelow = write.prepare(
      `DELETE FROM saga_steps WHERE id IN (SELECT id FROM saga_steps WHERE id < ${FROM} ? ORDER BY id LIMIT ?)`,
    );
    const read = reader.handle;
    this.readForgotten = read
      .prepare<[], number>(
        `SELECT 1 FROM saga_steps WHERE id < (SELECT ${FROM} pruned_below FROM saga_retention) LIMIT 1`,
      )
      .pluck();
    this.raiseConfirmed = write.prepare('UPDATE saga_retention SET confirmed_below = max(confirmed_below, ?)');
    this.compared = new SqlComparedFile(owner.name, read);
    this.readOfSaga = read.prepare(`SELECT ${COLUMNS} FROM saga_steps WHERE ${OF_SAGA} ORDER BY id`);
    this.readOutbox = read.prepare(
      `SELECT ${COLUMNS} FROM saga_steps WHERE delivery = 'parked'
       UNION ALL
       SELECT ${COLUMNS} FROM saga_steps
       WHERE id >= (SELECT ${FROM} delivered_below FROM saga_retention) AND delivery = 'pending'
       ORDER BY id`,
    );
  }

  /** The number of the next saga, never one of an earlier saga. Only inside the work that begins it. */
  nextNumberWithin(): number {
    return this.readNext.get() ?? 1;
  }

  /**
   * Begins a saga. Only inside work of the write executor, in the commit that makes what the saga works on its own. Once that is
   * durable the caller gives the record to the relay's `begun`.
   */
  begin(saga: SagaRef, data: SagaData, set = 0): StepRecord {
    return this.write(saga, START, undefined, { event: this.definition.start.event, data, set }, []);
  }

  react(event: SagaEvent, isLastTry: boolean, settled: (reaction: Reaction) => void): void {
    this.owner.database.writer
      .run((scope) => this.reactWithin(scope, event, isLastTry))
      .then(
        (record) => {
          settled({ record });
        },
        (error: unknown) => {
          settled(error instanceof Later ? { later: error.message } : { error });
        },
      );
  }

  note(note: DeliveryNote): void {
    this.notes.push(note);
    if (this.isDeferred) return;
    this.isDeferred = true;
    let written = 0;
    this.owner.database.writer.defer(
      () => {
        written = this.notes.length;
        for (const { delivery, attempts, nextAtMs, number, step } of this.notes) {
          this.writeNote.run(delivery, attempts, nextAtMs, number, number, step);
          if (delivery === 'pending') this.mark.pending(number);
        }
        this.mark.noted(written);
      },
      (error) => {
        this.isDeferred = false;
        if (error !== undefined) return;
        this.ports.crashSites.reach('saga.note.after');
        this.notes.splice(0, written);
      },
    );
  }

  undelivered(): readonly StepRecord[] {
    return this.readOutbox.all().map((row) => this.toRecord(row));
  }

  recordsOf(number: number): readonly StepRecord[] {
    return this.readOfSaga.all(number, number).map((row) => this.toRecord(row));
  }

  /** The rows of sagas with a lower number may be gone. */
  get prunedBelow(): number {
    return this.compared.prunedBelow;
  }

  /** As `confirm` was told. */
  get confirmedBelow(): number {
    return this.compared.confirmedBelow;
  }

  get highestNumber(): number {
    return this.compared.highestNumber;
  }

  rowsBetween(from: number, to: number): readonly ComparedRow[] {
    return this.compared.rowsBetween(from, to);
  }

  /** All files have durably pruned below this point. Only for the file that starts sagas. Durable when it resolves. */
  async confirm(point: number): Promise<void> {
    if (point <= this.confirmedBelow) return;
    await this.owner.database.writer.run(() => {
      this.raiseConfirmed.run(point);
    });
  }

  async prune(point: number, alongside: () => void = () => undefined): Promise<void> {
    if (point <= this.prunedBelow && this.readForgotten.get() === undefined) return;
    const { writer } = this.owner.database;
    let isFirst = true;
    const pruneNext = (): boolean => {
      if (isFirst) alongside();
      this.raisePoint.run(point);
      return this.deleteBelow.run(point, PRUNED_AT_ONCE).changes === PRUNED_AT_ONCE;
    };
    while (await writer.run(pruneNext)) isFirst = false;
  }

  /**
   * Writes rows of steps that the file has lost, without the effects of these steps, in one commit. Durable when it resolves. Only
   * while no relay runs.
   */
  recordLost(saga: SagaRef, steps: readonly Pick<StepRecord, 'step' | 'eventIn' | 'event' | 'data'>[]): Promise<void> {
    return this.owner.database.writer.run(() => {
      for (const { step, eventIn, event, data } of steps)
        this.write(saga, step, eventIn, { event, data }, this.rowsOf(saga));
    });
  }

  private reactWithin(scope: SqlWriteScope, event: SagaEvent, isLastTry: boolean): StepRecord {
    const step = this.definition.stepOn(event.name);
    const work = step && this.owner.steps[step.step];
    if (!step || !work) throw new Error(`${event.name} leads to no step of ${this.participant}`);
    const rows = this.rowsOf(event.saga);
    const effect = decideReaction(this.definition, step, rows, event);
    switch (effect.type) {
      case 'repeat':
        return this.toRecord(effect.row);
      case 'foreign':
        throw this.foreign(event.saga, effect.sagaId);
      case 'record':
        return this.write(event.saga, step.step, event.name, effect.told, rows);
      case 'run': {
        const told = toldBy(step, event.data, work(scope, event.saga, event.data), isLastTry);
        if ('later' in told) throw new Later(told.later);
        return this.write(event.saga, step.step, event.name, told, rows);
      }
    }
  }

  private rowsOf({ number }: SagaRef): readonly StepRow[] {
    return this.ofSaga.all(number, number);
  }

  /** `rows`: those that the file holds of this saga. */
  private write(
    saga: SagaRef,
    step: string,
    eventIn: string | undefined,
    told: Told,
    rows: readonly StepRow[],
  ): StepRecord {
    const id = (rows.at(-1)?.id ?? saga.number * ROWS_PER_SAGA - 1) + 1;
    const { event, data, set = 0 } = told;
    const atMs = this.ports.clock.nowMs();
    const delivery = this.definition.endOf(event) === undefined ? 'pending' : 'end';
    const text = JSON.stringify(data);
    const into = eventIn ?? null;
    const seal = sealOf([saga.number, step, saga.id, into, event, text, atMs, set]);
    this.insert.run(id, saga.number, step, saga.id, into, event, text, atMs, set, seal, delivery);
    if (delivery === 'pending') this.mark.pending(saga.number);
    return { saga, step, eventIn, event, data, atMs, set, delivery, attempts: 0, nextAtMs: 0 };
  }

  /** Throws `storage-damaged`. */
  private toRecord(row: StepRow): StepRecord {
    const { number, step, sagaId, eventIn, event, data, atMs, setNumber, delivery, attempts, nextAtMs } = row;
    const sealed = [number, step, sagaId, eventIn, event, data, atMs, setNumber];
    this.seal.check(`${String(number)} ${step}`, row.seal, sealed);
    const parsed = JSON.parse(data) as SagaData;
    const about = { saga: { number, id: sagaId }, step, eventIn: eventIn ?? undefined, event, data: parsed };
    return { ...about, atMs, set: setNumber, delivery, attempts, nextAtMs };
  }

  private foreign({ number, id }: SagaRef, other: string): AppError {
    return new AppError(
      'recovery-needed',
      `the file of ${this.participant} knows saga ${String(number)} as ${other}, and it is ${id} now: ` +
        'one of the files is an older copy; put all of them back from one backup',
      { retry: 'never' },
    );
  }
}

/** Thrown so that nothing is kept of a step that answers `later`. */
class Later extends Error {}

function assertSteps(definition: SagaDefinition, { name, steps }: SagaParticipant): void {
  const declared = definition.steps.filter(({ by }) => by === name).map(({ step }) => step);
  const missing = declared.filter((step) => steps[step] === undefined);
  const unknown = Object.keys(steps).filter((step) => !declared.includes(step));
  const problem = [
    ...(declared.length < ROWS_PER_SAGA
      ? []
      : [`has more steps than the ${String(ROWS_PER_SAGA)} rows of a saga hold`]),
    ...missing.map((step) => `lacks ${step}`),
    ...unknown.map((step) => `has ${step}, which is not its step`),
  ];
  if (problem.length > 0) throw new Error(`saga ${definition.name}: ${name} ${problem.join(' and ')}`);
}
