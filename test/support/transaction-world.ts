import { AppError, type CrashSites } from '../../src/kernel/index.js';
import {
  branch,
  type EndedTransaction,
  TransactionCoordinator,
  type TransactionId,
  type TransactionOutcome,
} from '../../src/protocols/two-phase-commit/index.js';
import { LastResourceDisk, MemoryLastResource } from './memory-last-resource.js';
import { MemoryParticipant, ParticipantDisk } from './memory-participant.js';
import { RecordingLog } from './recording-log.js';
import { SimulatedClock } from './simulated-clock.js';
import { SimulatedTimers } from './simulated-timers.js';

export const PREPARE_DEADLINE_MS = 1_000;
export const ANSWER_DEADLINE_MS = 2_000;
export const IN_DOUBT_AFTER_MS = 5_000;

const OPTIONS = {
  prepareDeadlineMs: PREPARE_DEADLINE_MS,
  answerDeadlineMs: ANSWER_DEADLINE_MS,
  inDoubtAfterMs: IN_DOUBT_AFTER_MS,
};

interface Gate {
  readonly pass: () => void;
  readonly whenOpen: Promise<void>;
}

/** A coordinator over stores in memory. A test may hold any step, let it fail, or crash the process after it. */
export class TransactionWorld {
  timers = new SimulatedTimers();
  readonly clock = new SimulatedClock();
  readonly log = new RecordingLog();
  readonly sites: string[] = [];
  readonly disks: Map<string, ParticipantDisk>;
  sqlDisk = new LastResourceDisk();
  lastResource!: MemoryLastResource;
  coordinator!: TransactionCoordinator<string>;
  /** Another coordinator on the same stores, which does not know the transactions of the first. */
  rival!: TransactionCoordinator<string>;
  participants: readonly MemoryParticipant[] = [];
  /** Every step with a durable effect, new or found: `a prepared t1: promise`. */
  readonly done: string[] = [];
  /** Called with each of these steps. */
  onDone: (line: string) => void = () => undefined;
  onCrash: () => void = () => undefined;
  /** `a prepare`: the process dies when it next reaches this step, after the step's durable effect. */
  lastStep: string | undefined;
  /** The endings that the coordinator reported: `t1 committed`. */
  readonly ended: string[] = [];
  private gates = new Map<string, Gate>();
  private readonly failures = new Map<string, Error>();
  private turn: Promise<void> = Promise.resolve();
  private queued = 0;
  private incarnation = 0;
  private count = 0;

  constructor(names: readonly string[] = ['a', 'b']) {
    this.disks = new Map(names.map((name) => [name, new ParticipantDisk()]));
    this.start();
  }

  /** Starts another process on the same disks. The unfinished writes of the earlier process never become durable. */
  start(): void {
    this.endIncarnation();
    this.timers = new SimulatedTimers();
    const incarnation = this.incarnation;
    const stepsOf = (who: string) => (step: string, id: TransactionId, done?: string) =>
      this.step(incarnation, who, step, id, done);
    this.participants = [...this.disks].map(([name, disk]) => new MemoryParticipant(name, disk, stepsOf(name)));
    this.lastResource = new MemoryLastResource(this.sqlDisk, stepsOf('sql'));
    const { participants, lastResource, timers, clock, log } = this;
    const crashSites: CrashSites = { reach: (site) => this.sites.push(site) };
    const newId = (): TransactionId => `t${(this.count += 1)}`;
    const ports = { participants, lastResource, timers, clock, log, crashSites, newId };
    const ended = ({ id, state }: EndedTransaction): void => {
      this.ended.push(`${id} ${state}`);
    };
    this.coordinator = new TransactionCoordinator({ ...ports, ended }, OPTIONS);
    this.rival = new TransactionCoordinator(ports, OPTIONS);
  }

  crash(): void {
    this.gates.clear();
    this.endIncarnation();
    this.lastStep = undefined;
    this.onCrash();
  }

  /** Held steps stay held, and the work that waits there never continues. */
  private endIncarnation(): void {
    this.incarnation += 1;
    const held = [...this.gates.keys()];
    this.gates = new Map(held.map((key) => [key, gate()]));
  }

  /** The step, of one transaction or of all, waits from now on until it is released. */
  hold(who: string, step: string, id = ''): void {
    this.gates.set(`${who} ${step} ${id}`, gate());
  }

  release(who: string, step: string, id = ''): void {
    const key = `${who} ${step} ${id}`;
    this.gates.get(key)?.pass();
    this.gates.delete(key);
  }

  /** The step fails from now on, until it is healed. */
  fail(who: string, step: string, error: Error): void {
    this.failures.set(`${who} ${step}`, error);
  }

  heal(who: string, step: string): void {
    this.failures.delete(`${who} ${step}`);
  }

  execute(work: string): Promise<TransactionOutcome<string>> {
    const branches = this.participants.map((participant) => branch(participant, work));
    return this.coordinator.execute<string>({ kind: 'naming', operationId: `op-${work}`, branches, decide: work });
  }

  /** The answer in one word. */
  async answerTo(work: string): Promise<string> {
    return this.execute(work).then(
      ({ state }) => state,
      (error: unknown) => (error instanceof AppError ? `${error.code}: ${error.message}` : String(error)),
    );
  }

  /** Resolves when all remaining work waits for time or a release. */
  async settled(): Promise<void> {
    do for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    while (this.queued > 0);
  }

  /** Lets time pass in small steps, and lets the work of each step settle. */
  async pass(durationMs: number): Promise<void> {
    await this.settled();
    for (let passed = 0; passed < durationMs; passed += STEP_MS) {
      this.timers.pass(Math.min(STEP_MS, durationMs - passed));
      await this.settled();
    }
  }

  private async step(incarnation: number, who: string, step: string, id: TransactionId, done?: string): Promise<void> {
    if (incarnation !== this.incarnation) await NEVER;
    if (done !== undefined) {
      const line = `${who} ${step} ${id}: ${done}`;
      this.done.push(line);
      this.onDone(line);
    }
    if (this.lastStep === `${who} ${step}`) this.crash();
    else if (done === undefined) await this.oneByOne();
    if (incarnation !== this.incarnation) await NEVER;
    for (const which of ['', id]) await this.gates.get(`${who} ${step} ${which}`)?.whenOpen;
    if (incarnation !== this.incarnation) await NEVER;
    const failure = this.failures.get(`${who} ${step}`);
    if (failure) throw failure;
  }

  /** Runs one step at a time, so that a crash falls between two steps. */
  private oneByOne(): Promise<void> {
    this.queued += 1;
    this.turn = this.turn.then(nextTurn).then(() => {
      this.queued -= 1;
    });
    return this.turn;
  }
}

const STEP_MS = 100;
const NEVER = new Promise<void>(() => undefined);

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function gate(): Gate {
  let pass: () => void = () => undefined;
  const whenOpen = new Promise<void>((resolve) => {
    pass = resolve;
  });
  return { pass, whenOpen };
}

export const FULL = new AppError('storage-full', 'no room left; nothing was written', { retry: 'safe' });
export const UNKNOWN = new AppError('outcome-unknown', 'no answer to COMMIT', { retry: 'unknown' });
