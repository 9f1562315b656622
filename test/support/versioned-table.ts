import type { TableVersion, VersionedSource } from '../../src/platform/cache/index.js';

/** A table of texts in a database of its own, with snapshots and restarts. */
export class VersionedTable implements VersionedSource {
  loads = 0;
  /** Runs in the middle of the next load: another process that writes meanwhile. */
  onLoad: (() => void) | undefined;
  private texts = new Map<string, string>();
  private version: TableVersion = { incarnation: 'db:1', generation: 0 };

  get rows(): ReadonlyMap<string, string> {
    return this.texts;
  }

  write(name: string, text: string): void {
    this.texts.set(name, text);
    this.moveGeneration();
  }

  /** Puts back an older copy of the database and starts on it. */
  restore(rows: ReadonlyMap<string, string>, generation: number, incarnation: string): void {
    this.texts = new Map(rows);
    this.version = { incarnation, generation };
  }

  currentVersion(): TableVersion {
    return this.version;
  }

  loadVersioned<T>(_table: string, load: () => T): { version: TableVersion; value: T } {
    this.loads += 1;
    const loaded = { version: this.version, value: load() };
    this.interrupt();
    return loaded;
  }

  protected interrupt(): void {
    const { onLoad } = this;
    this.onLoad = undefined;
    onLoad?.();
  }

  protected setRow(name: string, text: string): void {
    this.texts.set(name, text);
  }

  protected moveGeneration(): void {
    this.version = { ...this.version, generation: this.version.generation + 1 };
  }
}
