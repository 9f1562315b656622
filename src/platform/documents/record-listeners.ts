import type { EncodedRecord } from '../../kernel/index.js';

/** Whoever wants to know what has become durable. */
export class RecordListeners {
  private readonly listeners = new Set<(records: readonly EncodedRecord[]) => void>();

  /**
   * From now on `listener` is called synchronously with each batch of records that has become durable and was applied,
   * in the order of the history and before those who wrote them are answered, until the function that this gives is
   * called. It must not throw.
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
