import { AppError, storageFull } from '../../../src/kernel/index.js';
import type {
  Decision,
  DecisionDetails,
  DecisionRow,
  TransactionId,
} from '../../../src/protocols/two-phase-commit/index.js';
import type { SeededRandom } from '../../support/seeded-random.js';
import type { EventQueue } from '../replication/event-queue.js';

/** A business row with a key that is unique in its table. */
export interface SqlWork {
  readonly table: 'books' | 'users';
  readonly key: string;
}

export interface DatabaseWatcher {
  /** The row is durable from now on. */
  rowWritten(row: DecisionRow): void;
  businessRowWritten(work: SqlWork, id: TransactionId): void;
  rowForgotten(id: TransactionId): void;
  /** A commit happened after the death of the process that asked for it. */
  landedLate(): void;
}

/** The durable data, which a copy of the file holds completely. */
export interface DatabaseFile {
  /** All its incarnations; see `LastResource.incarnation`. */
  readonly incarnations: ReadonlySet<number>;
  readonly rows: ReadonlyMap<TransactionId, DecisionRow>;
  readonly books: ReadonlyMap<string, TransactionId>;
  readonly users: ReadonlyMap<string, TransactionId>;
}

interface Commit {
  readonly delayMs: number;
  readonly land: () => void;
}

export type CommitFate = 'done' | 'refused' | 'unknown';

/**
 * A SQL database with tables and commits that become durable one by one, each after its own time. `embedded`: it runs in the
 * process, one commit after the other; a commit under way when the process dies happens or not. `server`: it runs elsewhere;
 * commits overtake one another, and one may happen long after the death of the process that asked for it.
 */
export class SimulatedDatabase {
  readonly id = 'database-1';
  incarnations = new Set<number>();
  rows = new Map<TransactionId, DecisionRow>();
  books = new Map<string, TransactionId>();
  users = new Map<string, TransactionId>();
  condition: 'well' | 'full' | 'read-only' = 'well';
  /** The chance of a commit that takes seconds. */
  slowChance = 0;
  /** The chance of a commit with an unknown outcome. */
  lostChance = 0;
  private connections = 0;
  /** Grows when another database replaces this one: commits under way are lost. */
  private generation = 0;
  private line: Commit[] = [];
  private isCommitting = false;

  constructor(
    readonly kind: 'embedded' | 'server',
    readonly watcher: DatabaseWatcher,
    private readonly queue: EventQueue,
    private readonly random: SeededRandom,
  ) {}

  beginIncarnation(): number {
    const incarnation = this.random.below(2 ** 32);
    this.incarnations.add(incarnation);
    return incarnation;
  }

  /** `land` is the commit and runs in its turn. */
  commit(land: (fate: CommitFate) => void): void {
    const { connections, generation, random } = this;
    const delayMs = random.chance(this.slowChance) ? 500 + random.below(6_000) : 0.3 + random.fraction() * 3;
    const fate: CommitFate = random.chance(this.lostChance) ? 'unknown' : 'done';
    const commit: Commit = { delayMs, land: () => land(this.condition === 'well' ? fate : 'refused') };
    if (this.kind === 'embedded') {
      this.line.push(commit);
      this.next();
    } else {
      this.queue.after(delayMs, () => {
        // The connection broke before the server had the whole request.
        const isCutOff = connections !== this.connections && this.random.chance(0.3);
        if (!isCutOff && generation === this.generation) commit.land();
      });
    }
  }

  /** A commit without an answer happens now, much later on a server, or never. */
  settleLater(land: () => void): void {
    const { generation, kind, queue, random } = this;
    const chance = random.fraction();
    if (chance < 0.5) land();
    if (chance < 0.5 || chance > 0.75 || kind === 'embedded') return;
    queue.after(random.below(6_000), () => {
      if (generation === this.generation) land();
    });
  }

  refusal(): AppError {
    if (this.condition === 'full') return storageFull(undefined);
    return new AppError('storage-read-only', 'the database takes no writes', { retry: 'safe' });
  }

  /** The process that had it open is dead. */
  crash(): void {
    const [underWay] = this.line;
    this.line = [];
    this.connections += 1;
    if (underWay && this.isCommitting && this.random.chance(0.5)) underWay.land();
    this.isCommitting = false;
  }

  /** The decision of the row within a commit. */
  write(details: DecisionDetails, decision: Decision, atMs: number): Decision {
    const before = this.rows.get(details.id);
    if (before) return before.decision;
    const row = { ...details, decision, decidedAtMs: atMs };
    this.rows.set(details.id, row);
    this.watcher.rowWritten(row);
    return decision;
  }

  copy(): DatabaseFile {
    const { incarnations, rows, books, users } = this;
    return { incarnations: new Set(incarnations), rows: new Map(rows), books: new Map(books), users: new Map(users) };
  }

  replaceBy({ incarnations, rows, books, users }: DatabaseFile): void {
    this.generation += 1;
    Object.assign(this, {
      incarnations: new Set(incarnations),
      rows: new Map(rows),
      books: new Map(books),
      users: new Map(users),
    });
  }

  private next(): void {
    const [first] = this.line;
    if (!first || this.isCommitting) return;
    this.isCommitting = true;
    this.queue.after(first.delayMs, () => {
      if (first !== this.line[0]) return;
      this.line.shift();
      this.isCommitting = false;
      first.land();
      this.next();
    });
  }
}
