import { AppError, type NextTurn } from '../../kernel/index.js';
import type { DocumentsSnapshot, SnapshotMeta, StoredDocument } from './document-machine.js';
import type { CollectionDeclaration, Fields, Scalar } from './document-op.js';

const FORMAT = 1;
const DOCUMENTS_PER_TURN = 5_000;

type PlainDocuments = Record<string, Record<string, Scalar>>;

/** The file as a person reads it: `{"customers": {"1": {"name": ...}}, "_meta": {...}}`. */
export interface SnapshotData {
  [collection: string]: PlainDocuments | SnapshotMetaData;
  _meta: SnapshotMetaData;
}

interface SnapshotMetaData extends SnapshotMeta {
  readonly format: number;
}

/** Works over many turns of the event loop when there are many documents; `snapshot` must not change meanwhile. */
export async function encodeSnapshot(
  declarations: readonly CollectionDeclaration[],
  snapshot: DocumentsSnapshot,
  nextTurn: NextTurn,
): Promise<SnapshotData> {
  const collections: Record<string, PlainDocuments> = {};
  for (const { name, counterField } of declarations) {
    const counter = snapshot.meta.counters[name] ?? 0;
    const plain: PlainDocuments = {};
    for (const [index, [id, document]] of (snapshot.collections.get(name) ?? []).entries()) {
      plain[id] = { ...document.fields, [counterField]: document.counterBase + counter };
      if (index % DOCUMENTS_PER_TURN === DOCUMENTS_PER_TURN - 1) {
        await new Promise<void>((resolve) => {
          nextTurn(resolve);
        });
      }
    }
    collections[name] = plain;
  }
  return { ...collections, _meta: { format: FORMAT, ...snapshot.meta } };
}

/** Throws `data-corrupt` naming `path` for a format that this version does not know. */
export function decodeSnapshot(
  declarations: readonly CollectionDeclaration[],
  data: SnapshotData,
  path: string,
): DocumentsSnapshot {
  const { format, ...meta } = data._meta;
  if (format !== FORMAT) {
    throw new AppError('data-corrupt', `${path}: unknown format ${String(format)}`, { retry: 'never' });
  }
  const collections = new Map<string, (readonly [number, StoredDocument])[]>();
  for (const { name, counterField } of declarations) {
    const counter = meta.counters[name] ?? 0;
    const plain = (data[name] ?? {}) as PlainDocuments;
    const documents: (readonly [number, StoredDocument])[] = [];
    for (const id of Object.keys(plain)) {
      const { [counterField]: shownCounter, ...fields } = plain[id] ?? {};
      documents.push([
        Number(id),
        { fields: fields satisfies Fields, counterBase: Number(shownCounter ?? 0) - counter },
      ]);
    }
    collections.set(name, documents);
  }
  return { collections, meta };
}
