import type { Statement } from 'better-sqlite3';
import type { SqlDatabase } from '../../platform/sql/index.js';
import { RowSeal, sealOf } from '../../platform/sql-check/index.js';
import { SEALED_REGISTERED_USERS } from './create-registered-users.migration.js';
import type { RegisteredUser, StoredUser } from './registered-user.js';

const { table: TABLE } = SEALED_REGISTERED_USERS;

type SealedUser = StoredUser & { readonly seal: number | null };

export interface UserPage {
  readonly users: readonly RegisteredUser[];
  readonly hasMore: boolean;
  readonly total: number;
}

/** `insert` runs only inside work of the write executor of `registration.db`. */
export class RegisteredUserRepository {
  private readonly insertRow: Statement<[SealedUser]>;
  private readonly byAccount: Statement<[string], SealedUser>;
  private readonly byId: Statement<[string], SealedUser>;
  private readonly after: Statement<[string, number], SealedUser>;
  private readonly count: Statement<[], number>;
  private readonly seal: RowSeal;

  constructor(database: Pick<SqlDatabase, 'writeHandle' | 'reader' | 'damaged'>) {
    const { writeHandle: write } = database;
    const read = database.reader.handle;
    const select = `SELECT id, email, account, password_hash AS passwordHash, at_ms AS atMs, seal FROM ${TABLE}`;
    this.seal = new RowSeal(TABLE, database.damaged);
    this.insertRow = write.prepare(
      `INSERT INTO ${TABLE} (id, email, account, password_hash, at_ms, seal)
       VALUES (@id, @email, @account, @passwordHash, @atMs, @seal) ON CONFLICT (account) DO NOTHING`,
    );
    this.byAccount = read.prepare(`${select} WHERE account = ?`);
    this.byId = read.prepare(`${select} WHERE id = ?`);
    this.after = read.prepare(`${select} WHERE id > ? ORDER BY id LIMIT ?`);
    this.count = read.prepare<[], number>(`SELECT count(*) FROM ${TABLE}`).pluck();
  }

  /** Returns false, with nothing written, when the account is taken. */
  insert(user: StoredUser): boolean {
    return this.insertRow.run({ ...user, seal: sealOf(valuesOf(user)) }).changes > 0;
  }

  /** Throws `storage-damaged`. */
  findByAccount(account: string): StoredUser | undefined {
    return this.checked(this.byAccount.get(account));
  }

  /** Throws `storage-damaged`. */
  find(id: string): StoredUser | undefined {
    return this.checked(this.byId.get(id));
  }

  /** Users in the order of their ids, from the first above `after`. Throws `storage-damaged`. */
  page({ limit, after }: { readonly limit: number; readonly after: string }): UserPage {
    const found = this.after.all(after, limit + 1);
    for (const user of found) this.checked(user);
    const users = found.slice(0, limit).map(({ id, email }) => ({ id, email }));
    return { users, hasMore: found.length > limit, total: this.count.get() ?? 0 };
  }

  private checked(row: SealedUser | undefined): StoredUser | undefined {
    if (row !== undefined) this.seal.check(row.id, row.seal, valuesOf(row));
    return row;
  }
}

/** Returns the values in the order of SEALED_REGISTERED_USERS. */
function valuesOf({ id, email, account, passwordHash, atMs }: StoredUser): readonly (string | number)[] {
  return [id, email, account, passwordHash, atMs];
}
