const WINDOW_MS = 1_000;
const MAX_ALIKE = 10;

/** The properties that make two refusals alike. */
export interface RefusalKind {
  readonly route: string;
  readonly status: number;
}

/** Lets a few lines of a kind through each second, and reports the number of dropped lines when the second is over. */
export class RepeatedLines {
  private readonly windows = new Map<string, { lines: number }>();

  constructor(private readonly tellLeftOut: (lines: number, kind: RefusalKind) => void) {}

  admits(kind: RefusalKind): boolean {
    const name = `${kind.route} ${String(kind.status)}`;
    let window = this.windows.get(name);
    if (!window) {
      const begun = (window = { lines: 0 });
      this.windows.set(name, begun);
      setTimeout(() => {
        this.windows.delete(name);
        if (begun.lines > MAX_ALIKE) this.tellLeftOut(begun.lines - MAX_ALIKE, kind);
      }, WINDOW_MS).unref();
    }
    window.lines += 1;
    return window.lines <= MAX_ALIKE;
  }
}
