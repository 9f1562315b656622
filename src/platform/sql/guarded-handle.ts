import type { Statement } from 'better-sqlite3';
import type { AppError } from '../../kernel/index.js';
import { isDamage } from './sql-error.js';
import type { SqlHandle } from './sql-handle.js';

type Call = (...values: unknown[]) => unknown;

/** The calls that make SQLite work. `iterate` works only as its result is read, and nothing here uses it. */
const CALLS = ['run', 'get', 'all'] as const;

/** Changes and returns the handle: later statements throw what `damaged` returns when SQLite meets an unreadable page. */
export function guarded(handle: SqlHandle, damaged: (error: unknown) => AppError): SqlHandle {
  const prepare = handle.prepare.bind(handle);
  const guard = (source: string): Statement => {
    const statement = prepare(source) as unknown as Record<(typeof CALLS)[number], Call>;
    for (const name of CALLS) {
      const call = statement[name].bind(statement);
      statement[name] = (...values: unknown[]) => {
        try {
          return call(...values);
        } catch (error) {
          throw isDamage(error) ? damaged(error) : error;
        }
      };
    }
    return statement as unknown as Statement;
  };
  handle.prepare = guard as typeof handle.prepare;
  return handle;
}
