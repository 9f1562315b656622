import type { EncodedRecord } from '../../kernel/index.js';

export class RecordListeners {
  private readonly listeners = new Set<(records: readonly EncodedRecord[]) => void>();

  /**
   * Calls `listener` synchronously with each batch of durable, applied records, in the order of the history and before their
   * writers are acknowledged, until the returned function is called. The listener must not throw.
   */
  add(listener: (records: readonly EncodedRecord[]) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  notify(records: readonly EncodedRecord[]): void {
    this.listeners.forEach((listener) => {
      listener(records);
    });
  }
}
