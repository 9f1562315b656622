import { AppError } from '../../kernel/index.js';
import type { DocumentsSnapshot, SnapshotMeta, StoredDocument } from './document-machine.js';
import type { CollectionDeclaration, Scalar } from './document-op.js';
import { LazyObject } from './json-chunks.js';

const FORMAT = 1;

type PlainDocuments = Record<string, Record<string, Scalar>>;

/** The file as a person reads it: `{"customers": {"1": {"name": ...}}, "_meta": {...}}`. */
export interface SnapshotData {
  [collection: string]: PlainDocuments | LazyObject<Record<string, Scalar>> | SnapshotMetaData;
  _meta: SnapshotMetaData;
}

interface SnapshotMetaData extends SnapshotMeta {
  readonly format: number;
}

/** The documents are turned into what is written while it is written; `snapshot` must not change meanwhile. */
export function encodeSnapshot(
  declarations: readonly CollectionDeclaration[],
  { collections, meta }: DocumentsSnapshot,
): SnapshotData {
  const shown = declarations.map(({ name, counterField }) => {
    const counter = meta.counters[name] ?? 0;
    const documents = collections.get(name) ?? [];
    return [name, new LazyObject(() => plainDocuments(documents, counterField, counter))] as const;
  });
  return { ...Object.fromEntries(shown), _meta: { format: FORMAT, ...meta } };
}

function* plainDocuments(
  documents: Iterable<readonly [id: number, document: StoredDocument]>,
  counterField: string,
  counter: number,
): Generator<readonly [key: string, value: Record<string, Scalar>], void, undefined> {
  for (const [id, { fields, counterBase }] of documents) {
    yield [String(id), { ...fields, [counterField]: counterBase + counter }];
  }
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
  const collections = new Map(
    declarations.map(({ name, counterField }) => {
      const plain = (data[name] ?? {}) as PlainDocuments;
      const counter = meta.counters[name] ?? 0;
      return [name, { [Symbol.iterator]: () => storedDocuments(plain, counterField, counter) }] as const;
    }),
  );
  return { collections, meta };
}

function* storedDocuments(
  plain: PlainDocuments,
  counterField: string,
  counter: number,
): Generator<readonly [id: number, document: StoredDocument], void, undefined> {
  for (const id in plain) {
    const { [counterField]: shownCounter, ...fields } = plain[id] ?? {};
    yield [Number(id), { fields, counterBase: Number(shownCounter ?? 0) - counter }];
  }
}
