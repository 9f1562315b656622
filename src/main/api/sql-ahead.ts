import { HeldKeyCounts } from '../../kernel/index.js';
import { CHECKOUT, CheckoutKeysAhead, ORDERS } from '../../modules/orders/index.js';
import { PAYMENT } from '../../modules/payment/index.js';
import { SQL_FILES } from '../../modules/stores/index.js';
import { nextTurn, systemClock } from '../../platform/process/index.js';
import {
  BOOKSTORE,
  OperationKeysAhead,
  type SqlFile,
  type SqlHandle,
  type WarmSqlFile,
} from '../../platform/sql/index.js';
import { type ComparedSagas, SagasAhead, SqlComparedFile } from '../../protocols/saga/index.js';

/** The participants of checkouts, in the order in which a step of theirs leads to the next. */
const PARTICIPANTS: readonly (readonly [name: string, file: SqlFile])[] = [
  [CHECKOUT.start.by, ORDERS],
  ['payment', PAYMENT],
  ['stock', BOOKSTORE],
];

/** What a standby has read of the SQL files; what is absent must be read at the takeover. */
export interface ReadOfSql {
  readonly keys?: CountedKeys | undefined;
  readonly sagas?: ComparedSagas | undefined;
}

export interface CountedKeys {
  readonly held: HeldKeyCounts;
  /** By the name of the file, as in `OperationKeysAhead`. */
  readonly belowMs: ReadonlyMap<string, number>;
  /** As in `CheckoutKeysAhead`. */
  readonly checkoutsBelow: number;
}

/** Something that is read through the handles of some warm files. It is worth nothing after one of them was opened again. */
interface Part<T> {
  readonly files: readonly SqlFile[];
  readonly make: (...handles: SqlHandle[]) => T;
  readonly steps: (reading: T) => Iterable<void>;
  reading: T | undefined;
  handles: readonly SqlHandle[];
}

/**
 * Counts the keys and compares the sagas in the SQL files of another process, so that a takeover reads only what has come since. It reads
 * through the connections of the warm files, each answer in a transaction of its own.
 */
export class SqlAhead {
  private readonly keys = partOf(
    SQL_FILES,
    (...handles) => new KeysAhead(handles),
    (keys) => keys.count(),
  );
  private readonly sagas = partOf(
    PARTICIPANTS.map(([, file]) => file),
    (...handles) => new SagasAhead(CHECKOUT, comparedFiles(handles)),
    (sagas) => sagas.compare(),
  );
  private isEnding = false;

  constructor(private readonly warmFiles: ReadonlyMap<SqlFile, WarmSqlFile>) {}

  /** Reads on in short steps, one call at a time. Never rejects: what cannot be read now is read later. */
  async look(): Promise<void> {
    await this.readOn(this.keys);
    await this.readOn(this.sagas);
  }

  /** Ends the reading. Call it before the warm files are closed. */
  take(): ReadOfSql {
    this.isEnding = true;
    return { keys: this.validOf(this.keys)?.counted, sagas: this.validOf(this.sagas)?.compared };
  }

  private async readOn<T>(part: Part<T>): Promise<void> {
    if (this.isEnding) return;
    try {
      const handles = part.files.flatMap((file) => this.warmFiles.get(file)?.reader ?? []);
      if (handles.length < part.files.length) return;
      if (part.reading === undefined || !this.areTheirs(part)) {
        part.reading = undefined;
        part.handles = handles;
        part.reading = part.make(...handles);
      }
      for (const _ of part.steps(part.reading)) {
        await new Promise<void>((resolve) => {
          nextTurn(resolve);
        });
        if (this.isEnding) return;
      }
    } catch {
      // The owner is just making the file, or holds it: the next look begins again.
      part.reading = undefined;
    }
  }

  private validOf<T>(part: Part<T>): T | undefined {
    const areContinued = part.files.every((file) => this.warmFiles.get(file)?.isContinued());
    return areContinued && this.areTheirs(part) ? part.reading : undefined;
  }

  private areTheirs({ files, handles }: Pick<Part<never>, 'files' | 'handles'>): boolean {
    return files.every((file, index) => this.warmFiles.get(file)?.reader === handles[index]);
  }
}

/** The keys of all files in one count, so that a takeover adds them at once. */
class KeysAhead {
  private readonly held = new HeldKeyCounts();
  private readonly ofFiles: readonly (readonly [SqlFile, OperationKeysAhead])[];
  private readonly ofCheckouts: CheckoutKeysAhead | undefined;

  /** In the order of SQL_FILES. */
  constructor(handles: readonly SqlHandle[]) {
    const files = SQL_FILES.flatMap((file, index) => {
      const handle = handles[index];
      return handle === undefined ? [] : [{ file, handle }];
    });
    this.ofFiles = files.map(({ file, handle }) => [file, new OperationKeysAhead(handle, systemClock, this.held)]);
    const orders = files.find(({ file }) => file === ORDERS);
    this.ofCheckouts = orders && new CheckoutKeysAhead(orders.handle, this.held);
  }

  *count(): Generator<void, void, undefined> {
    for (const [, keys] of this.ofFiles) yield* keys.count();
    if (this.ofCheckouts !== undefined) yield* this.ofCheckouts.count();
  }

  get counted(): CountedKeys | undefined {
    if (this.ofFiles.some(([, keys]) => keys.isOutdated)) return undefined;
    const belowMs = new Map(this.ofFiles.map(([{ name }, keys]) => [name, keys.belowMs]));
    return { held: this.held, belowMs, checkoutsBelow: this.ofCheckouts?.below ?? 0 };
  }
}

function partOf<T>(files: readonly SqlFile[], make: Part<T>['make'], steps: Part<T>['steps']): Part<T> {
  return { files, make, steps, reading: undefined, handles: [] };
}

function comparedFiles(handles: readonly SqlHandle[]): readonly SqlComparedFile[] {
  return handles.map((handle, index) => new SqlComparedFile(PARTICIPANTS[index]?.[0] ?? '', handle));
}
