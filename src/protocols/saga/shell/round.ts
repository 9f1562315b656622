/** Counts who has entered and not left, and tells when the last one leaves. */
export class Round {
  private open = 0;
  private waiting: (() => void)[] = [];

  enter(): void {
    this.open += 1;
  }

  leave(): void {
    this.open -= 1;
    if (this.open > 0) return;
    for (const resolve of this.waiting) resolve();
    this.waiting = [];
  }

  /** Resolves when nobody is left, at once when nobody has entered. */
  closed(): Promise<void> {
    if (this.open === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.waiting.push(resolve);
    });
  }
}
