import type { Log } from '../../kernel/index.js';
import type { DocumentStore } from '../../platform/documents/index.js';

type UnmatchedDocuments = Pick<DocumentStore, 'unmatched' | 'settleUnmatched' | 'prepared' | 'carriedOut'>;

/**
 * After the recovery at a start, removes from the unmatched list the transactions that the documents have carried out as a row
 * here says, or no longer know. The others stay listed for the next start. A failure to write the list does not fail the start.
 */
export async function settleUnmatched(
  documents: UnmatchedDocuments,
  hasRow: (id: string) => boolean,
  log: Log,
): Promise<void> {
  const inDoubt = new Set(documents.prepared().map(({ id }) => id));
  const carriedOut = new Set(documents.carriedOut().map(({ id }) => id));
  const settled = documents.unmatched().filter((id) => !inDoubt.has(id) && (hasRow(id) || !carriedOut.has(id)));
  try {
    await documents.settleUnmatched(settled);
  } catch (error) {
    log.warn('the list of unmatched transactions could not be written', { error: String(error) });
  }
  const left = documents.unmatched().filter((id) => !settled.includes(id));
  if (left.length === 0) return;
  log.warn('transactions that a recovery from replicas listed are still unsettled', {
    decided: left.filter((id) => !inDoubt.has(id)),
    inDoubt: left.filter((id) => inDoubt.has(id)),
  });
}
