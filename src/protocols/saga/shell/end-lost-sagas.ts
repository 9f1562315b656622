import { filesBehind, missingSteps } from '../core/comparison.js';
import type { SagaDefinition } from '../core/definition.js';
import { type EndingStep, stepsToEnd } from '../core/lost-steps.js';
import { AppError } from '../../../kernel/index.js';
import type { SagaData, SagaEvent, SagaRef, StepRecord } from '../ports.js';
import type { SqlSagaFile } from '../stores/sql-saga-file.js';
import { allBelow, findMissingRows } from './compare-files.js';

const SAGAS_AT_ONCE = 500;

/** A saga of which at least one file had lost rows. */
export interface LostSaga {
  readonly saga: SagaRef;
  readonly data: SagaData;
  /** The participants whose files had lost rows. */
  readonly lostBy: readonly string[];
  /** What was written to end it, in the order of its steps. */
  readonly ending: readonly EndingStep[];
  /** `completed`, or taken back. */
  readonly isCompleted: boolean;
}

export interface EndLostSagasOptions {
  readonly definition: SagaDefinition;
  readonly files: readonly SqlSagaFile[];
  /** Given to the steps that take a saga back, with its data. */
  readonly refusal: SagaData;
  /** Awaited before anything is written of these sagas. */
  readonly found: (sagas: readonly LostSaga[]) => Promise<void>;
}

/**
 * Ends each saga of which a file has lost rows, so that the files agree again. Durable when it resolves; one that a death cut short
 * is finished by the next. For files whose relay does not run. Resolves to the number up to which files lack sagas that the others have
 * pruned, so that nobody knows any more what is lost of them; undefined: none. Rejects with `recovery-needed` when two sagas share a
 * number.
 */
export async function endLostSagas(options: EndLostSagasOptions): Promise<number | undefined> {
  const { definition, files, found } = options;
  const behind = filesBehind(definition, files);
  if (behind.length > 0) await endForgotten(options);
  let from = 0;
  for (;;) {
    const missing = await findMissingRows(definition, files, () => Promise.resolve(), allBelow(from, files));
    const numbers = [...new Set(missing.map(({ saga }) => saga))];
    const last = numbers.at(-1);
    if (last === undefined) return behind[0] && Math.max(...behind.map(({ saga }) => saga));
    const sagas = numbers.map((number) => lostSagaOf(options, number));
    await found(sagas);
    await Promise.all(sagas.map((saga) => end(files, saga)));
    from = last + 1;
  }
}

/** What a file that lags behind still holds or locks for sagas that the others have pruned is given back; then it prunes them too. */
async function endForgotten({ found, ...parts }: EndLostSagasOptions): Promise<void> {
  const { definition, files } = parts;
  const point = Math.max(...files.map(({ prunedBelow }) => prunedBelow));
  for (const file of files) {
    for (let from = file.prunedBelow; from < point; from += SAGAS_AT_ONCE) {
      const numbers = new Set(
        file.rowsBetween(from, Math.min(from + SAGAS_AT_ONCE, point)).map(({ number }) => number),
      );
      const isCutOff = (number: number): boolean =>
        files.some((one) => one.recordsOf(number).some(({ delivery }) => delivery === 'superseded'));
      const sagas = [...numbers]
        .filter((number) => !isCutOff(number))
        .map((number) => lostSagaOf(parts, number))
        .map((saga) => ({ ...saga, ending: saga.ending.filter(({ type }) => type === 'do') }))
        .filter(({ ending }) => ending.length > 0);
      if (sagas.length === 0) continue;
      await found(sagas);
      await Promise.all(sagas.map((saga) => end(files, saga)));
    }
  }
  const isStarter = ({ participant }: SqlSagaFile): boolean => participant === definition.start.by;
  for (const file of [...files.filter(isStarter), ...files.filter((one) => !isStarter(one))]) await file.prune(point);
}

function lostSagaOf({ definition, files, refusal }: Omit<EndLostSagasOptions, 'found'>, number: number): LostSaga {
  const rows = files.flatMap((file) => file.recordsOf(number).map((record) => ({ ...record, by: file.participant })));
  const [first] = rows;
  const other = rows.find(({ saga }) => saga.id !== first?.saga.id);
  if (first === undefined || other !== undefined) throw sharedNumber(number);
  const lost = missingSteps(
    definition,
    rows.map((row) => ({ ...row, sagaId: row.saga.id })),
  );
  const ending = stepsToEnd(definition, rows, refusal);
  const ends = [...ending, ...rows].map(({ event }) => definition.endOf(event));
  return {
    ...{ saga: first.saga, ending, lostBy: [...new Set(lost.map(({ by }) => by))] },
    data: Object.assign({}, ...rows.map(({ data }) => data)) as SagaData,
    isCompleted: ends.includes('completed'),
  };
}

/** Rows first: each file's in one commit, so that a death in between leaves no participant with only some of its own. */
async function end(files: readonly SqlSagaFile[], { saga, ending }: LostSaga): Promise<void> {
  for (const file of files) {
    const own = ending.filter(({ type, by }) => type === 'record' && by === file.participant);
    if (own.length > 0) await file.recordLost(saga, own);
  }
  let data: SagaData | undefined;
  for (const { type, by, eventIn, ...step } of ending) {
    const file = files.find(({ participant }) => participant === by);
    if (type !== 'do' || file === undefined || eventIn === undefined) continue;
    ({ data } = await done(file, { saga, name: eventIn, data: data ?? step.data }));
  }
}

/** Rejects with what keeps the step from being done. */
function done(file: SqlSagaFile, event: SagaEvent): Promise<StepRecord> {
  return new Promise((resolve, reject) => {
    file.react(event, true, (reaction) => {
      if ('record' in reaction) resolve(reaction.record);
      else reject('error' in reaction ? (reaction.error as Error) : new Error(reaction.later));
    });
  });
}

function sharedNumber(number: number): AppError {
  const message =
    `two sagas have the number ${String(number)}: the files do not come from one history. Put all three back from one backup; ` +
    'nothing of this saga was changed';
  return new AppError('recovery-needed', message, { retry: 'never' });
}
