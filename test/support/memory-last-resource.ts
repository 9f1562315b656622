import { AppError } from '../../src/kernel/index.js';
import type {
  Decision,
  DecisionDetails,
  DecisionRow,
  LastResource,
  Acknowledgement,
  TransactionId,
} from '../../src/protocols/two-phase-commit/index.js';
import { NO_STEPS, type Step } from './memory-participant.js';

/** The state that survives a crash. */
export class LastResourceDisk {
  readonly rows = new Map<TransactionId, DecisionRow>();
  readonly names: string[] = [];
  /** The incarnations, in no order. */
  readonly incarnations = new Set<number>();

  constructor(readonly id = 'sql-1') {}

  copy(): LastResourceDisk {
    const copy = new LastResourceDisk(this.id);
    for (const [id, row] of this.rows) copy.rows.set(id, row);
    copy.names.push(...this.names);
    for (const incarnation of this.incarnations) copy.incarnations.add(incarnation);
    return copy;
  }
}

/** The count of all incarnations in a test, over all databases and copies. */
let incarnationsBegun = 0;

/**
 * A database of names that may each be taken once. Each opening of its disk is another incarnation. Steps: `commit`, `veto`,
 * `decide` before an effect; `committed`, `vetoed`, `resolved` when the effect is durable and not answered. An error at the
 * former is a definite refusal; at the latter it must be `outcome-unknown`.
 */
export class MemoryLastResource implements LastResource<string, string> {
  readonly incarnation: number;

  constructor(
    readonly disk = new LastResourceDisk(),
    private readonly at: Step = NO_STEPS,
  ) {
    incarnationsBegun += 1;
    this.incarnation = incarnationsBegun;
    disk.incarnations.add(this.incarnation);
  }

  get id(): string {
    return this.disk.id;
  }

  knowsIncarnation(incarnation: number): boolean {
    return this.disk.incarnations.has(incarnation);
  }

  async commit(
    details: DecisionDetails,
    work: string,
  ): Promise<{ readonly decision: 'committed'; readonly result: string } | { readonly decision: 'aborted' }> {
    await this.at('commit', details.id);
    if (this.disk.rows.get(details.id)?.decision === 'aborted') {
      await this.at('committed', details.id, 'found aborted');
      return { decision: 'aborted' };
    }
    if (this.disk.names.includes(work)) await this.at('refused', details.id, `${work} is taken`);
    if (this.disk.names.includes(work)) throw new AppError('conflict', `${work} is taken`, { retry: 'never' });
    this.disk.names.push(work);
    this.write(details, 'committed');
    await this.at('committed', details.id, 'wrote committed');
    return { decision: 'committed', result: work };
  }

  async abort(details: readonly DecisionDetails[]): Promise<ReadonlyMap<TransactionId, Decision>> {
    for (const { id } of details) await this.at('veto', id);
    const done = details.map((each) => this.writeIfAbsent(each, 'aborted'));
    for (const [index, { id }] of details.entries()) await this.at('vetoed', id, done[index]);
    return this.decisions(details.map(({ id }) => id));
  }

  async decide(details: DecisionDetails, decision: Decision): Promise<Decision> {
    await this.at('decide', details.id);
    await this.at('resolved', details.id, this.writeIfAbsent(details, decision));
    return this.disk.rows.get(details.id)?.decision ?? decision;
  }

  async decisions(ids: readonly TransactionId[]): Promise<ReadonlyMap<TransactionId, Decision>> {
    const decisions = new Map<TransactionId, Decision>();
    for (const id of ids) {
      const row = this.disk.rows.get(id);
      if (row) decisions.set(id, row.decision);
    }
    return decisions;
  }

  async incomplete(): Promise<readonly DecisionRow[]> {
    return [...this.disk.rows.values()].filter(({ completedAtMs }) => completedAtMs === undefined);
  }

  completed(id: TransactionId, acknowledgements: Readonly<Record<string, Acknowledgement>>): void {
    const row = this.disk.rows.get(id);
    if (row) this.disk.rows.set(id, { ...row, completedAtMs: this.disk.rows.size, acknowledgements });
  }

  private writeIfAbsent(details: DecisionDetails, decision: Decision): string {
    const row = this.disk.rows.get(details.id);
    if (row !== undefined) return `found ${row.decision}`;
    this.write(details, decision);
    return `wrote ${decision}`;
  }

  private write(details: DecisionDetails, decision: Decision): void {
    this.disk.rows.set(details.id, { ...details, decision, decidedAtMs: this.disk.rows.size + 1 });
  }
}
