import { Injectable } from '@nestjs/common';
import type { Statement } from 'better-sqlite3';
import { SqlDatabase, type SqlWriteScope } from '../../platform/sql/index.js';
import { RowSeal, sealOf } from '../../platform/sql-check/index.js';
import type { User } from './user.schemas.js';

const TABLE = 'users';

type SealedUser = User & { readonly seal: number | null };

/** Writes run only inside work of the database's write executor. */
@Injectable()
export class UserRepository {
  private readonly insertRow: Statement<[SealedUser]>;
  private readonly updateRow: Statement<[SealedUser]>;
  private readonly findForWrite: Statement<[number], SealedUser>;
  private readonly findCommitted: Statement<[number], SealedUser>;
  private readonly countAllotted: Statement<[number]>;
  private readonly lastCounted: Statement<[], number>;
  private readonly seal: RowSeal;

  constructor(database: SqlDatabase) {
    const { writeHandle: write } = database;
    this.seal = new RowSeal(TABLE, database.damaged);
    const read = database.reader.handle;
    const selectRow = 'SELECT id, firstname, lastname, seal FROM users WHERE id = ?';
    this.insertRow = write.prepare(
      `INSERT INTO users (id, firstname, lastname, seal) VALUES (@id, @firstname, @lastname, @seal)
       ON CONFLICT (id) DO NOTHING`,
    );
    this.updateRow = write.prepare(
      'UPDATE users SET firstname = @firstname, lastname = @lastname, seal = @seal WHERE id = @id',
    );
    this.findForWrite = write.prepare(selectRow);
    this.findCommitted = read.prepare(selectRow);
    this.countAllotted = write.prepare('UPDATE user_ids SET last = max(last, ?)');
    this.lastCounted = read.prepare<[], number>('SELECT last FROM user_ids').pluck();
  }

  /** Returns false, with nothing written, when the id is taken. */
  insert(scope: SqlWriteScope, user: User): boolean {
    if (this.insertRow.run(sealed(user)).changes === 0) return false;
    scope.touch(TABLE);
    return true;
  }

  update(scope: SqlWriteScope, user: User): void {
    this.updateRow.run(sealed(user));
    scope.touch(TABLE);
  }

  /** Sees the earlier changes of the same commit. */
  findWithinWrite(id: number): User | undefined {
    return this.checked(this.findForWrite.get(id));
  }

  find(id: number): User | undefined {
    return this.checked(this.findCommitted.get(id));
  }

  /** Inserts a user with an allotted id: no later incarnation allots an id up to it. */
  insertAllotted(scope: SqlWriteScope, user: User): boolean {
    if (!this.insert(scope, user)) return false;
    this.passOver(user.id);
    return true;
  }

  /** Ensures that no later incarnation allots an id up to this one. */
  passOver(id: number): void {
    this.countAllotted.run(id);
  }

  /** The highest id that was allotted and committed, or 0. */
  lastAllottedId(): number {
    return this.lastCounted.get() ?? 0;
  }

  /** Throws `storage-damaged`. */
  private checked(row: SealedUser | undefined): User | undefined {
    if (row !== undefined) this.seal.check(row.id, row.seal, valuesOf(row));
    return row;
  }
}

function sealed(user: User): SealedUser {
  return { ...user, seal: sealOf(valuesOf(user)) };
}

/** Returns the values in the order of SEALED_USERS. */
function valuesOf({ id, firstname, lastname }: User): readonly (string | number)[] {
  return [id, firstname, lastname];
}
