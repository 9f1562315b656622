import type { DeliveryNote, Reaction, SagaEvent, SagaFile, StepRecord } from '../../../src/protocols/saga/index.js';
import type { SeededRandom } from '../../support/seeded-random.js';
import type { SimulatedFile } from './simulated-file.js';
import type { Variant } from './variant.js';

/** Chances of what happens between the relay and a file. */
export interface Faults {
  readonly lossChance: number;
  readonly lateChance: number;
  readonly repeatChance: number;
  /** The chance that an undo comes before its step. */
  readonly strayChance: number;
}

export const NO_FAULTS: Faults = { lossChance: 0, lateChance: 0, repeatChance: 0, strayChance: 0 };

export interface FaultyWorld {
  readonly variant: Variant;
  readonly random: SeededRandom;
  readonly faults: Faults;
  readonly files: readonly SimulatedFile[];
  after(delayMs: number, task: () => void): () => void;
  /** True once for each saga: none of its events has been on its way yet. */
  isFirst(event: SagaEvent): boolean;
  strayed(): void;
  ended(record: StepRecord): void;
}

const LATE_MS = 300;

/** A file behind deliveries that are lost before or after the work, late, repeated, and in any order. */
export class FaultyFile implements SagaFile {
  readonly participant: string;

  constructor(
    private readonly file: SimulatedFile,
    private readonly world: FaultyWorld,
  ) {
    this.participant = file.participant;
  }

  react(event: SagaEvent, isLastTry: boolean, settled: (reaction: Reaction) => void): void {
    const { world, file } = this;
    const { random, faults, variant } = world;
    if (variant.notesEarly) this.noteEarly(event);
    const isStray = world.isFirst(event) && random.chance(faults.strayChance);
    if (isStray) this.stray(event);
    const lateMs = isStray || random.chance(faults.lateChance) ? 5 + random.below(LATE_MS) : 0;
    if (random.chance(faults.lossChance)) {
      world.after(lateMs, () => {
        settled(this.unanswered(event));
      });
      return;
    }
    const deliver = (): void => {
      file.react(event, isLastTry, (reaction) => {
        // What the relay does not know of is only the repeat of a step that is done: other processes are fenced.
        if ('record' in reaction && random.chance(faults.repeatChance)) {
          world.after(random.below(LATE_MS), () => {
            file.react(event, false, () => undefined);
          });
        }
        if (random.chance(faults.lossChance)) {
          settled(this.unanswered(event));
          return;
        }
        if ('record' in reaction && reaction.record.delivery === 'end') world.ended(reaction.record);
        settled(reaction);
      });
    };
    if (lateMs === 0) deliver();
    else world.after(lateMs, deliver);
  }

  note(note: DeliveryNote): void {
    this.file.note(note);
  }

  get prunedBelow(): number {
    return this.file.prunedBelow;
  }

  undelivered(): readonly StepRecord[] {
    return this.file.undelivered();
  }

  recordsOf(number: number): readonly StepRecord[] {
    return this.file.recordsOf(number);
  }

  private unanswered(event: SagaEvent): Reaction {
    const { variant } = this.world;
    const step = variant.definition.stepOn(event.name)!;
    if (!variant.timeoutsRefuse || step.refused === undefined) return { error: new Error('no answer') };
    const told = { step: step.step, eventIn: event.name, event: step.refused };
    return {
      record: {
        saga: event.saga,
        ...told,
        data: event.data,
        atMs: 0,
        set: 0,
        delivery: 'pending',
        attempts: 0,
        nextAtMs: 0,
      },
    };
  }

  private stray(event: SagaEvent): void {
    const { definition } = this.world.variant;
    const undo = definition.stepOn(event.name)?.undo;
    const on = definition.steps.find(({ step }) => step === undo)?.on[0];
    if (on === undefined) return;
    this.world.strayed();
    this.file.react({ ...event, name: on }, false, () => undefined);
  }

  private noteEarly({ saga, name }: SagaEvent): void {
    for (const file of this.world.files) {
      for (const { step, event } of file.recordsOf(saga.number)) {
        if (event === name) file.note({ number: saga.number, step, delivery: 'delivered', attempts: 0, nextAtMs: 0 });
      }
    }
  }
}
