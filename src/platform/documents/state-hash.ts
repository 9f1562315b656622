import { createHash } from 'node:crypto';
import type { NextTurn } from '../../kernel/index.js';
import type { DocumentsSnapshot } from './document-machine.js';
import { jsonChunks } from './json-chunks.js';
import { LINE_SEPARATOR } from './packed-block.js';

/**
 * SHA-256, in hex, of a snapshot's content without its position: two copies at the same position have equal hashes exactly when
 * their content is equal. A collection that never held anything leaves no trace, so that a copy that does not know it agrees. The
 * representation and the history do not matter. The hash is computed over many turns of the event loop.
 */
export async function stateHash(
  { collections, operations, meta }: DocumentsSnapshot,
  nextTurn: NextTurn,
): Promise<string> {
  const hash = createHash('sha256');
  const turn = (): Promise<void> =>
    new Promise((resolve) => {
      nextTurn(resolve);
    });
  hash.update(JSON.stringify({ clusterId: meta.clusterId }));
  for (const [name, documents] of collections) {
    const counter = meta.counters[name] ?? 0;
    const nextId = meta.nextIds[name] ?? 1;
    if (documents.count === 0 && counter === 0 && nextId === 1) continue;
    hash.update(`\n${JSON.stringify({ name, counter, nextId })}\n`);
    let separator = '';
    for (const { bytes } of documents.blocks()) {
      hash.update(separator);
      hash.update(bytes);
      separator = LINE_SEPARATOR;
      await turn();
    }
  }
  hash.update('\n');
  // The hash covers JSON on one line because line breaks are only a matter of representation.
  hash.update('[');
  for (const [index, block] of operations.blocks.entries()) {
    hash.update(`${index === 0 ? '' : ','}${block.toString('latin1').replaceAll(LINE_SEPARATOR, ',')}`, 'latin1');
    await turn();
  }
  hash.update(']');
  const { prepared = [], decisions = [] } = meta;
  // Without transactions the hash must equal that of versions before they existed.
  if (prepared.length + decisions.length > 0) {
    for (const chunk of jsonChunks({ prepared, decisions })) {
      hash.update(chunk);
      await turn();
    }
  }
  return hash.digest('hex');
}
