import { storageFull } from '../../../src/kernel/index.js';
import { decideReaction, type Told, toldBy } from '../../../src/protocols/saga/core/reaction.js';
import { START } from '../../../src/protocols/saga/core/definition.js';
import type {
  DeliveryNote,
  Reaction,
  SagaData,
  SagaEvent,
  SagaFile,
  SagaRef,
  StepRecord,
} from '../../../src/protocols/saga/index.js';
import { copyOf, type FileState, type Purchase, WORKS } from './shop-model.js';
import type { Variant } from './variant.js';

/** What a file needs of the world that it lives in. */
export interface FileWorld {
  readonly variant: Variant;
  nowMs(): number;
  /** Does nothing when the process has died meanwhile. */
  after(delayMs: number, task: () => void): () => void;
  /** The process dies here, or nothing happens. */
  mayDie(): void;
  isFull(name: string): boolean;
  durable(name: string, state: FileState): void;
}

interface Queued {
  readonly work: (state: FileState) => unknown;
  readonly settled: (result: { readonly value: unknown } | { readonly error: unknown }) => void;
}

const NOTES_WAIT_MS = 1_000;

/** One participant's file in one life of the process: what a commit has not made durable dies with it. */
export class SimulatedFile implements SagaFile {
  private queue: Queued[] = [];
  private notes: DeliveryNote[] = [];
  private areNotesDue = false;
  readonly prunedBelow = 0;

  constructor(
    readonly participant: string,
    private state: FileState,
    private readonly world: FileWorld,
  ) {}

  get view(): FileState {
    return this.state;
  }

  run<T>(work: (state: FileState) => T, settled: (value: T) => void, failed: () => void): void {
    this.commitSoon({
      work,
      settled: (result) => {
        if ('value' in result) settled(result.value as T);
        else failed();
      },
    });
  }

  begin(state: FileState, saga: SagaRef, purchase: Purchase): StepRecord {
    const { definition } = this.world.variant;
    return this.write(state, saga, START, undefined, { event: definition.start.event, data: { ...purchase } });
  }

  react(event: SagaEvent, isLastTry: boolean, settled: (reaction: Reaction) => void): void {
    this.commitSoon({
      work: (state) => this.reactIn(state, event, isLastTry),
      settled: (result) => {
        if ('error' in result) settled(result.error instanceof Later ? { later: result.error.message } : result);
        else settled({ record: result.value as StepRecord });
      },
    });
  }

  note(note: DeliveryNote): void {
    this.notes.push(note);
    if (this.areNotesDue) return;
    this.areNotesDue = true;
    this.world.after(NOTES_WAIT_MS, () => {
      this.areNotesDue = false;
      if (this.notes.length > 0) this.commit();
    });
  }

  undelivered(): readonly StepRecord[] {
    return [...this.state.rows.values()]
      .flat()
      .filter(({ delivery }) => delivery === 'pending' || delivery === 'parked');
  }

  recordsOf(number: number): readonly StepRecord[] {
    return this.state.rows.get(number) ?? [];
  }

  private commitSoon(queued: Queued): void {
    this.queue.push(queued);
    if (this.queue.length > 1) return;
    this.world.after(1, () => {
      this.commit();
    });
  }

  private commit(): void {
    const { queue, notes } = this;
    this.queue = [];
    this.notes = [];
    if (this.world.isFull(this.participant)) {
      for (const { settled } of queue) settled({ error: storageFull(undefined) });
      for (const note of notes) this.note(note);
      return;
    }
    const next = copyOf(this.state);
    const results = queue.map(({ work }) => {
      try {
        return { value: work(next) };
      } catch (error) {
        if (!(error instanceof Later)) throw error;
        return { error };
      }
    });
    for (const note of notes) noteIn(next, note);
    this.world.mayDie();
    this.state = next;
    this.world.durable(this.participant, next);
    this.world.mayDie();
    queue.forEach(({ settled }, index) => {
      settled(results[index]!);
    });
  }

  private reactIn(state: FileState, event: SagaEvent, isLastTry: boolean): StepRecord {
    const { definition, looksForRow, leavesTombstones } = this.world.variant;
    const step = definition.stepOn(event.name)!;
    const rows = (state.rows.get(event.saga.number) ?? []).map((row) => ({ ...row, sagaId: row.saga.id, row }));
    const known = looksForRow ? rows : rows.filter((row) => row.step !== step.step);
    const minded = leavesTombstones ? known : known.filter((row) => row.step !== step.undo);
    const effect = decideReaction(definition, step, minded, event);
    if (effect.type === 'repeat') return effect.row.row;
    if (effect.type === 'foreign') throw new Error('the number belongs to another saga');
    const told =
      effect.type === 'record'
        ? effect.told
        : toldBy(step, event.data, WORKS[step.step]!(state, event.saga, event.data as SagaData & Purchase), isLastTry);
    if ('later' in told) throw new Later(told.later);
    return this.write(state, event.saga, step.step, event.name, told);
  }

  private write(state: FileState, saga: SagaRef, step: string, eventIn: string | undefined, told: Told): StepRecord {
    const { variant } = this.world;
    const { event, data } = told;
    const delivery = variant.definition.endOf(event) === undefined ? 'pending' : 'end';
    // The row is read from JSON after a restart, and a reader of the rows must not see what a step does to its data later.
    const record: StepRecord = {
      ...{
        saga,
        step,
        eventIn,
        event,
        data: JSON.parse(JSON.stringify(data)) as typeof data,
        atMs: this.world.nowMs(),
      },
      ...{ set: 0, delivery, attempts: 0, nextAtMs: 0 },
    };
    const isMarked = delivery === 'end' || variant.marksOutboxInCommit;
    const others = (state.rows.get(saga.number) ?? []).filter((row) => row.step !== step);
    state.rows.set(saga.number, [...others, isMarked ? record : { ...record, delivery: 'delivered' }]);
    if (!isMarked) this.note({ number: saga.number, step, delivery, attempts: 0, nextAtMs: 0 });
    return record;
  }
}

class Later extends Error {}

function noteIn(state: FileState, { number, step, delivery, attempts, nextAtMs }: DeliveryNote): void {
  const rows = state.rows.get(number) ?? [];
  state.rows.set(
    number,
    rows.map((row) => (row.step === step ? { ...row, delivery, attempts, nextAtMs } : row)),
  );
}
