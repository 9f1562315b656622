import { z } from 'zod';
import { AppError } from '../../src/kernel/index.js';
import {
  type Decision,
  decideParticipant,
  type InDoubt,
  type Participant,
  type Acknowledgement,
  type TransactionHead,
  type TransactionId,
  type Vote,
} from '../../src/protocols/two-phase-commit/index.js';
import { DurableLines } from './durable-lines.js';

export interface LedgerEntry {
  readonly account: string;
  readonly amountCents: number;
  readonly text: string;
}

/** A line of the file: a promise, or what became of one. */
type Line =
  | { readonly state: 'prepared'; readonly head: TransactionHead; readonly entry: LedgerEntry; readonly atMs: number }
  | { readonly state: Decision; readonly id: TransactionId };

type Known = Partial<Omit<Extract<Line, { state: 'prepared' }>, 'state'>> & { readonly state: 'prepared' | Decision };

const LIMIT_CENTS = 1_000_000;

const entrySchema = z.object({ account: z.string(), amountCents: z.int(), text: z.string() });
const headSchema = z.object({ id: z.string(), kind: z.string(), decidedBy: z.string(), incarnation: z.int() });
const lineSchema = z.union([
  z.object({ state: z.literal('prepared'), head: headSchema, entry: entrySchema, atMs: z.number() }),
  z.object({ state: z.enum(['committed', 'aborted']), id: z.string() }),
]);

function isLine(value: unknown): value is Line {
  return lineSchema.safeParse(value).success;
}

/** A ledger that takes part in transactions: what it is told to commit is what it has promised before. */
export class LedgerParticipant implements Participant<LedgerEntry> {
  readonly name = 'ledger';
  /** In the order of the file. */
  private readonly known = new Map<TransactionId, Known>();
  /** By account: what it owes, and what it may come to owe. */
  private readonly promisedCents = new Map<string, number>();
  private lastTurn: Promise<unknown> = Promise.resolve();

  private constructor(private readonly file: DurableLines<Line>) {
    for (const line of file.lines) this.apply(line);
  }

  static async open(path: string): Promise<LedgerParticipant> {
    return new LedgerParticipant(await DurableLines.open(path, isLine));
  }

  prepare(head: TransactionHead, entry: LedgerEntry): Promise<Vote> {
    return this.inTurn(async () => {
      const { keep, answer } = decideParticipant(this.stateOf(head.id), 'prepare');
      if (answer === 'no') return no(`transaction ${head.id} was aborted`);
      if (keep && this.wouldOwe(entry) > LIMIT_CENTS) return no(`${entry.account} has reached its limit`);
      if (keep) await this.write({ state: 'prepared', head, entry, atMs: Date.now() });
      return { vote: 'yes' };
    });
  }

  commit(id: TransactionId): Promise<Acknowledgement> {
    return this.carryOut(id, 'commit');
  }

  abort(id: TransactionId): Promise<Acknowledgement> {
    return this.carryOut(id, 'abort');
  }

  async inDoubt(): Promise<readonly InDoubt[]> {
    return [...this.known.values()].flatMap(({ state, head, atMs = 0 }) =>
      state === 'prepared' && head ? { ...head, preparedAtMs: atMs } : [],
    );
  }

  /** Lets a start notice that one of the two stores is an older copy. */
  async carriedOut(): Promise<readonly (TransactionHead & { readonly decision: Decision })[]> {
    return [...this.known.values()].flatMap(({ state, head }) =>
      state !== 'prepared' && head ? { ...head, decision: state } : [],
    );
  }

  /** What readers see. */
  entries(): readonly (LedgerEntry & { readonly transactionId: TransactionId })[] {
    return [...this.known].flatMap(([transactionId, { state, entry }]) =>
      state === 'committed' && entry ? { transactionId, ...entry } : [],
    );
  }

  close(): Promise<void> {
    return this.inTurn(() => this.file.close());
  }

  private carryOut(id: TransactionId, message: 'commit' | 'abort'): Promise<Acknowledgement> {
    return this.inTurn(async () => {
      const { keep, answer } = decideParticipant(this.stateOf(id), message);
      if (answer === 'contradiction') throw new Error(`transaction ${id} was decided twice`);
      if (keep) await this.write({ state: message === 'commit' ? 'committed' : 'aborted', id });
      return {};
    });
  }

  private async write(line: Line): Promise<void> {
    await this.file.append(line);
    this.apply(line);
  }

  private apply(line: Line): void {
    if (line.state === 'prepared') {
      this.known.set(line.head.id, line);
      this.promisedCents.set(line.entry.account, this.wouldOwe(line.entry));
      return;
    }
    const before = this.known.get(line.id);
    this.known.set(line.id, { ...before, state: line.state });
    if (line.state === 'aborted' && before?.entry) {
      const { account, amountCents } = before.entry;
      this.promisedCents.set(account, this.wouldOwe({ account, amountCents: -amountCents }));
    }
  }

  private stateOf(id: TransactionId): Known['state'] | 'unknown' {
    return this.known.get(id)?.state ?? 'unknown';
  }

  private wouldOwe({ account, amountCents }: Pick<LedgerEntry, 'account' | 'amountCents'>): number {
    return (this.promisedCents.get(account) ?? 0) + amountCents;
  }

  /** One step after the other, so that each one finds what the one before has written. */
  private inTurn<T>(step: () => Promise<T>): Promise<T> {
    const turn = this.lastTurn.then(step);
    this.lastTurn = turn.catch(() => undefined);
    return turn;
  }
}

function no(message: string): Vote {
  return { vote: 'no', reason: new AppError('conflict', message, { retry: 'never' }) };
}
