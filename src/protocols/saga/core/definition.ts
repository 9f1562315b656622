/**
 * The declared table of a saga, checked when it is loaded.
 *
 * Invariant: each event has exactly one step; what happened before the pivot is undone in reverse order after a refusal; after the
 * pivot there is no refusal; every path ends. So a saga whose events are all delivered has either done all its steps or undone
 * each that it did.
 */

/** Exponential backoff with jitter. After `attempts` tries the event is parked, or the step is exhausted. */
export interface RetryBudget {
  readonly attempts: number;
  readonly baseMs: number;
  readonly maxMs: number;
}

export interface SagaStep {
  /** Unique in the table; the name of the step row. Never changes. */
  readonly step: string;
  /** The participant that does it. */
  readonly by: string;
  /** The events that lead to it. */
  readonly on: readonly string[];
  /** Its event when it is done. */
  readonly done: string;
  /** Its event when it will not be done: nothing is changed, and what earlier steps did is undone. */
  readonly refused?: string;
  /** Told in place of parking when the step has answered `later` until its budget was used up; one of its refusals. */
  readonly isRefusedWhenExhausted?: true;
  /** The step of the same participant that takes it back. */
  readonly undo?: string;
  /** From the commit of this step on, the saga only goes forward. */
  readonly isPivot?: true;
  /** Instead of the budget of the table. */
  readonly retry?: RetryBudget;
}

export interface SagaTable {
  readonly name: string;
  /** The commit that begins the saga: its event, its participant, and the step that takes it back. */
  readonly start: { readonly event: string; readonly by: string; readonly undo: string };
  readonly steps: readonly SagaStep[];
  /** The events that end the saga. */
  readonly ends: Readonly<Record<string, SagaEndState>>;
  readonly retry?: RetryBudget;
}

/** `refused`: everything that was done is undone. */
export type SagaEndState = 'completed' | 'refused';

/** The name of the row that begins a saga. */
export const START = 'start';

/** At most 20 seconds with the waits between 12 tries: shorter than a client waits. */
export const DEFAULT_RETRY: RetryBudget = { attempts: 12, baseMs: 20, maxMs: 5_000 };

/** A table that has passed the checks. */
export class SagaDefinition {
  readonly name: string;
  readonly start: SagaTable['start'];
  readonly steps: readonly SagaStep[];
  private readonly byEvent = new Map<string, SagaStep>();
  private readonly undone = new Map<string, SagaStep>();

  constructor(private readonly table: SagaTable) {
    ({ name: this.name, start: this.start, steps: this.steps } = table);
    for (const step of table.steps) {
      for (const event of step.on) this.byEvent.set(event, step);
      if (step.undo !== undefined) this.undone.set(step.undo, step);
    }
  }

  /** The step that the event leads to; undefined when the event ends the saga. Throws for an event that the table does not name. */
  stepOn(event: string): SagaStep | undefined {
    const step = this.byEvent.get(event);
    if (step === undefined && this.endOf(event) === undefined) {
      throw new Error(`saga ${this.name}: the table names no event ${event}`);
    }
    return step;
  }

  endOf(event: string): SagaEndState | undefined {
    return this.table.ends[event];
  }

  /** The step that `undo` takes back; undefined when `undo` is no undo of a step. */
  undoneBy(undo: string): SagaStep | undefined {
    return this.undone.get(undo);
  }

  retryOf(step: SagaStep): RetryBudget {
    return step.retry ?? this.table.retry ?? DEFAULT_RETRY;
  }

  /** The participant whose step tells the event. */
  tellerOf(event: string): string {
    return this.steps.find(({ done, refused }) => done === event || refused === event)?.by ?? this.start.by;
  }

  /** All participants, the one that starts sagas first. */
  get participants(): readonly string[] {
    return [...new Set([this.start.by, ...this.steps.map(({ by }) => by)])];
  }
}

/** Throws, naming saga, step and event, when the table breaks a rule. */
export function defineSaga(table: SagaTable): SagaDefinition {
  const refuse = (what: string): never => {
    throw new Error(`saga ${table.name}: ${what}`);
  };
  checkEvents(table, refuse);
  checkNames(table, refuse);
  const definition = new SagaDefinition(table);
  const forward = forwardPath(definition, refuse);
  checkPivot(table, forward, refuse);
  checkUndoing(definition, forward, refuse);
  return definition;
}

type Refuse = (what: string) => never;

function emittedBy({ done, refused }: SagaStep): readonly string[] {
  return refused === undefined ? [done] : [done, refused];
}

/** Each event has one source that means one thing, and exactly one step or end. */
function checkEvents({ start, steps, ends }: SagaTable, refuse: Refuse): void {
  const emitted = new Set([start.event]);
  for (const step of steps) {
    for (const event of emittedBy(step)) {
      if (emitted.has(event)) refuse(`${step.step} tells ${event}, which another step or outcome tells already`);
      emitted.add(event);
    }
  }
  const handled = new Map<string, string>(Object.keys(ends).map((event) => [event, 'the end']));
  for (const { step, on } of steps) {
    for (const event of on) {
      const other = handled.get(event);
      if (other !== undefined) refuse(`${event} leads to ${step} and to ${other}; it must lead to one of them`);
      handled.set(event, step);
    }
  }
  for (const event of emitted) if (!handled.has(event)) refuse(`${event} leads to no step and is no end`);
  for (const [event, by] of handled) if (!emitted.has(event)) refuse(`${by} waits for ${event}, which no step tells`);
}

function checkNames({ start, steps }: SagaTable, refuse: Refuse): void {
  const names = new Map<string, SagaStep>();
  for (const step of steps) {
    if (names.has(step.step) || step.step === START) refuse(`two steps have the name ${step.step}`);
    names.set(step.step, step);
  }
  const undoing = new Set<string>();
  for (const { step, by, undo } of [{ step: START, ...start }, ...steps]) {
    if (undo === undefined) continue;
    const other = names.get(undo) ?? refuse(`${step} is undone by ${undo}, which is no step`);
    if (other.by !== by)
      refuse(`${step} of ${by} is undone by ${undo} of ${other.by}; only its own participant can undo it`);
    if (undoing.has(undo)) refuse(`${undo} undoes two steps`);
    if (other.refused !== undefined) refuse(`${undo} undoes ${step}, so it must not be refused`);
    undoing.add(undo);
  }
}

/** The steps that follow each other when each one is done, from the start to an end. */
function forwardPath(definition: SagaDefinition, refuse: Refuse): readonly SagaStep[] {
  const { path, end } = follow(definition, definition.start.event, refuse);
  if (end !== 'completed') refuse('the path on which every step is done does not end as completed');
  return path;
}

function follow(
  definition: SagaDefinition,
  from: string,
  refuse: Refuse,
): { readonly path: readonly SagaStep[]; readonly end: SagaEndState | undefined } {
  const path: SagaStep[] = [];
  let event = from;
  for (let step = definition.stepOn(event); step !== undefined; step = definition.stepOn(event)) {
    if (path.includes(step)) refuse(`the path from ${from} comes to ${step.step} again and never ends`);
    path.push(step);
    event = step.done;
  }
  return { path, end: definition.endOf(event) };
}

function checkPivot({ steps }: SagaTable, forward: readonly SagaStep[], refuse: Refuse): void {
  const pivots = steps.filter(({ isPivot }) => isPivot);
  const [pivot, second] = pivots;
  if (pivot === undefined || second !== undefined)
    return refuse(`it has ${String(pivots.length)} pivots; it must have one`);
  const at = forward.indexOf(pivot);
  if (at < 0) refuse(`the pivot ${pivot.step} is not on the path on which every step is done`);
  for (const { step, refused, undo } of forward.slice(at + 1)) {
    if (refused !== undefined) refuse(`${step} comes after the pivot and must not be refused`);
    if (undo !== undefined) refuse(`${step} comes after the pivot and must not be undone`);
  }
  if (pivot.undo !== undefined) refuse(`the pivot ${pivot.step} must not be undone`);
  for (const { step, undo, refused } of forward.slice(0, at)) {
    if (undo === undefined) refuse(`${step} comes before the pivot and has no undo`);
    if (refused === undefined) refuse(`${step} can be undone before it was done, so it must have a refusal`);
  }
  for (const { step, isRefusedWhenExhausted, refused } of steps) {
    if (isRefusedWhenExhausted && refused === undefined)
      refuse(`${step} is refused when exhausted, but has no refusal`);
  }
}

/** After a refusal exactly the steps before it are undone, the last one first. */
function checkUndoing(definition: SagaDefinition, forward: readonly SagaStep[], refuse: Refuse): void {
  const undos = [definition.start.undo];
  for (const { refused, undo } of forward) {
    if (refused !== undefined) {
      const { path, end } = follow(definition, refused, refuse);
      const found = path.map((one) => one.step);
      if (found.join() !== undos.join()) {
        refuse(`after ${refused} it must ${namesOf(undos)}, the last step first, but it does ${namesOf(found)}`);
      }
      if (end !== 'refused') refuse(`the path from ${refused} does not end as refused`);
    }
    if (undo !== undefined) undos.unshift(undo);
  }
  for (const { step } of definition.steps) {
    const isReached = forward.some((one) => one.step === step) || undos.includes(step);
    if (!isReached) refuse(`no path comes to ${step}`);
  }
}

function namesOf(steps: readonly string[]): string {
  return steps.length === 0 ? 'nothing' : steps.join(', then ');
}
