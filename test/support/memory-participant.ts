import { AppError } from '../../src/kernel/index.js';
import {
  type Decision,
  decideParticipant,
  type InDoubt,
  type Participant,
  type ParticipantState,
  type Acknowledgement,
  type TransactionHead,
  type TransactionId,
  type Vote,
} from '../../src/protocols/two-phase-commit/index.js';

/** A point in a step of a double at which a test may delay it or let it fail. `done` names the step's durable effect. */
export type Step = (step: string, id: TransactionId, done?: string) => Promise<void> | undefined;

export const NO_STEPS: Step = () => undefined;

interface Kept {
  readonly head: TransactionHead;
  readonly work: string;
  readonly position: string;
  readonly state: ParticipantState;
  readonly acknowledgement: Acknowledgement;
}

/** The state that survives a crash. */
export class ParticipantDisk {
  readonly kept = new Map<TransactionId, Kept>();
  readonly tombstones = new Set<TransactionId>();
  /** The taken names, in order; a repeated name was taken twice. */
  readonly names: string[] = [];
  length = 0;

  copy(): ParticipantDisk {
    const copy = new ParticipantDisk();
    for (const [id, kept] of this.kept) copy.kept.set(id, kept);
    for (const id of this.tombstones) copy.tombstones.add(id);
    copy.names.push(...this.names);
    copy.length = this.length;
    return copy;
  }
}

/**
 * A store of names that may each be taken once; a promise reserves its name. The core makes all decisions. Steps: `prepare`,
 * `commit`, `abort` before an effect; `prepared`, `committed`, `aborted` when the effect is durable and not answered;
 * `refused`.
 */
export class MemoryParticipant implements Participant<string> {
  constructor(
    readonly name: string,
    readonly disk = new ParticipantDisk(),
    private readonly at: Step = NO_STEPS,
  ) {}

  async prepare(head: TransactionHead, work: string): Promise<Vote> {
    await this.at('prepare', head.id);
    const { state, keep, answer } = decideParticipant(this.stateOf(head.id), 'prepare');
    if (answer === 'no') return this.refuse(head.id, `${head.id} was aborted`);
    if (keep === 'promise') {
      if (this.isTaken(work)) return this.refuse(head.id, `${work} is taken`);
      this.disk.length += 1;
      this.disk.kept.set(head.id, { head, work, position: this.positionNow(), state, acknowledgement: {} });
    }
    await this.at('prepared', head.id, keep ?? 'nothing');
    return { vote: 'yes', position: this.disk.kept.get(head.id)?.position ?? '' };
  }

  commit(id: TransactionId): Promise<Acknowledgement> {
    return this.carryOut(id, 'commit');
  }

  abort(id: TransactionId): Promise<Acknowledgement> {
    return this.carryOut(id, 'abort');
  }

  async inDoubt(): Promise<readonly InDoubt[]> {
    const prepared = [...this.disk.kept.values()].filter(({ state }) => state === 'prepared');
    return prepared.map(({ head, position }) => ({ ...head, position, preparedAtMs: this.disk.length }));
  }

  async carriedOut(): Promise<readonly (TransactionHead & { readonly decision: Decision })[]> {
    return [...this.disk.kept.values()].flatMap(({ head, state }) =>
      state === 'committed' || state === 'aborted' ? { ...head, decision: state } : [],
    );
  }

  async mayHavePrepared(_: TransactionId, position: string): Promise<boolean> {
    return Number(position) <= this.disk.length;
  }

  private async carryOut(id: TransactionId, message: 'commit' | 'abort'): Promise<Acknowledgement> {
    await this.at(message, id);
    const { state, keep, answer } = decideParticipant(this.stateOf(id), message);
    if (answer === 'contradiction') throw new AppError('data-corrupt', `${id} was decided twice`, { retry: 'never' });
    const before = this.disk.kept.get(id);
    if (keep === 'tombstone') this.disk.tombstones.add(id);
    else if (keep !== undefined && before !== undefined) {
      this.disk.length += 1;
      if (keep === 'commit') this.disk.names.push(before.work);
      const outcome = { names: this.disk.names.length };
      const acknowledgement =
        keep === 'commit' ? { position: this.positionNow(), outcome } : { position: this.positionNow() };
      this.disk.kept.set(id, { ...before, state, acknowledgement });
    }
    await this.at(message === 'commit' ? 'committed' : 'aborted', id, keep ?? 'nothing');
    return this.disk.kept.get(id)?.acknowledgement ?? {};
  }

  private stateOf(id: TransactionId): ParticipantState {
    return this.disk.kept.get(id)?.state ?? (this.disk.tombstones.has(id) ? 'aborted' : 'unknown');
  }

  private isTaken(name: string): boolean {
    const isReserved = [...this.disk.kept.values()].some(({ state, work }) => state === 'prepared' && work === name);
    return isReserved || this.disk.names.includes(name);
  }

  private positionNow(): string {
    return String(this.disk.length);
  }

  private async refuse(id: TransactionId, message: string): Promise<Vote> {
    await this.at('refused', id, message);
    return { vote: 'no', reason: new AppError('conflict', message, { retry: 'never' }) };
  }
}
