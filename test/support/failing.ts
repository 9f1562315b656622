interface Fault {
  readonly nth: number;
  readonly error: Error;
  readonly takesEffect: boolean;
}

interface Preparing {
  prepare(sql: string): { run(...values: never[]): unknown };
}

/**
 * A real SQL handle of which chosen runs of one statement fail: `failing(handle).onRun('COMMIT', 2, error)`. All else
 * goes to the real one, so that what it did can be read from the file.
 */
export function failing<Handle extends Preparing>(
  handle: Handle,
): Handle & {
  /** `nth` counts from 1. With `takesEffect` the real statement has run before the error, as when an answer is lost. */
  onRun(sql: string, nth: number, error: Error, takesEffect?: boolean): void;
} {
  const faults = new Map<string, Fault>();
  const runs = new Map<string, number>();
  const runOf = (sql: string, run: () => unknown) => (): unknown => {
    const nth = (runs.get(sql) ?? 0) + 1;
    runs.set(sql, nth);
    const fault = faults.get(sql);
    if (fault?.nth !== nth) return run();
    if (fault.takesEffect) run();
    throw fault.error;
  };
  const onRun = (sql: string, nth: number, error: Error, takesEffect = false): void => {
    runs.delete(sql);
    faults.set(sql, { nth, error, takesEffect });
  };
  const prepare = (sql: string): unknown => {
    const statement = handle.prepare(sql);
    return bound(statement, (name, member) =>
      name === 'run'
        ? (...values: never[]) => runOf(sql, () => (member as (...v: never[]) => unknown).apply(statement, values))()
        : undefined,
    );
  };
  return bound(handle, (name) => (name === 'prepare' ? prepare : name === 'onRun' ? onRun : undefined)) as never;
}

/** `target` with some members replaced; its own methods keep their `this`. */
function bound<T extends object>(target: T, replacement: (name: string | symbol, member: unknown) => unknown): T {
  return new Proxy(target, {
    get: (_, name) => {
      const member = Reflect.get(target, name, target) as unknown;
      const replaced = replacement(name, member);
      if (replaced !== undefined) return replaced;
      return typeof member === 'function' ? (member as (...values: unknown[]) => unknown).bind(target) : member;
    },
  });
}

/** As better-sqlite3 throws it. */
export function sqliteError(code: string): Error {
  return Object.assign(new Error(`planned ${code}`), { code });
}
