import type { Statement } from 'better-sqlite3';
import type { SqlHandle } from './sql-handle.js';

/**
 * The returned function runs before each run of the statement and may throw to prevent it; undefined: no check. `isReadOnly`
 * follows SQLite, where a COMMIT is read-only because it changes nothing by itself.
 */
export type CheckOfStatement = (sql: string, isReadOnly: boolean) => (() => void) | undefined;

const RUNS = ['run', 'get', 'all', 'iterate'] as const;

/** The same connection with checked statements. Covers only statements prepared through the returned handle. */
export function beforeEachStatement(handle: SqlHandle, checkOf: CheckOfStatement): SqlHandle {
  const prepare = (sql: string): Statement => {
    const statement = handle.prepare(sql);
    const check = checkOf(sql, statement.readonly);
    return check ? guarded(statement, check) : statement;
  };
  return new Proxy(handle, {
    get: (_, name) => {
      if (name === 'prepare') return prepare;
      const member = Reflect.get(handle, name, handle) as unknown;
      return typeof member === 'function' ? (member as (...values: unknown[]) => unknown).bind(handle) : member;
    },
  });
}

/**
 * SQLite itself rolls back after some errors (a full disk, `ON CONFLICT ROLLBACK`, a trigger's `RAISE(ROLLBACK)`). The next
 * statement would run in its own commit, durable at once. So writing statements must run inside a transaction.
 */
export function writesOnlyInTransactions(handle: SqlHandle): SqlHandle {
  return beforeEachStatement(handle, (sql, isReadOnly) => {
    if (isReadOnly || /^\s*BEGIN\b/.test(sql)) return undefined;
    return () => {
      if (handle.inTransaction) return;
      throw new Error('this statement needs an open transaction, and none is open; it was not run');
    };
  });
}

/** Changes the statement itself, because a proxy in front of it would be slower. */
function guarded(statement: Statement, check: () => void): Statement {
  for (const name of RUNS) {
    const run = statement[name].bind(statement) as (...values: unknown[]) => unknown;
    const checked = (...values: unknown[]): unknown => {
      check();
      return run(...values);
    };
    Object.defineProperty(statement, name, { value: checked, configurable: true, writable: true });
  }
  return statement;
}
