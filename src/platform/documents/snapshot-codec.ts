import { AppError } from '../../kernel/index.js';
import { DocumentLines } from './document-line.js';
import type { DocumentsSnapshot, SnapshotMeta } from './document-machine.js';
import type { CollectionDeclaration, Scalar } from './document-op.js';
import { DocumentTable } from './document-table.js';
import { jsonChunks } from './json-chunks.js';
import { LINE_SEPARATOR, NEWLINE } from './packed-block.js';
import { CapturedOperations, type RememberedOperation } from './operation-memory.js';
import { PackedDocuments } from './packed-documents.js';
import { readBlocks } from './packed-reader.js';
import type { FileCodec } from './snapshot-file.js';
import { TableSnapshot } from './table-snapshot.js';

/** Format 1 has the operations in `_meta`. */
const FORMATS: readonly number[] = [1, 2];
const FORMAT = 2;
const META = '"_meta":';
const OPERATIONS = '"_operations":[\n';

interface SnapshotMetaData extends SnapshotMeta {
  readonly format: number;
  /** The file offset of the first operation. */
  readonly operationsAt?: number;
  /** Only in format 1. */
  readonly operations?: readonly RememberedOperation[];
  /** The number of documents per collection; absent from files on one line. */
  readonly sizes?: Readonly<Record<string, number>>;
}

type OneLine = Readonly<Record<string, PlainDocuments>> & {
  readonly _meta: SnapshotMetaData;
  readonly _operations?: readonly RememberedOperation[];
};
type PlainDocuments = Readonly<Record<string, Record<string, Scalar>>>;

/**
 * A snapshot as readable JSON, `{"customers": {"1": {"name": ...}}, "_meta": {...}}`: one document or finished operation per line
 * and no other newline, so that documents are found without parsing them. Any JSON of this shape is readable; a file on one line
 * is only slower.
 */
export class SnapshotCodec implements FileCodec<DocumentsSnapshot> {
  constructor(private readonly declarations: readonly CollectionDeclaration[]) {}

  *encode({ collections, operations, meta }: DocumentsSnapshot): Generator<string | Buffer, void, undefined> {
    let operationsAt = 0;
    for (const piece of this.encodeCollections(collections)) {
      operationsAt += Buffer.byteLength(piece);
      yield piece;
    }
    let separator = '';
    for (const block of operations.blocks) {
      yield separator;
      yield block;
      separator = LINE_SEPARATOR;
    }
    yield `${separator === '' ? '' : '\n'}],${META}`;
    const sizes = Object.fromEntries([...collections].map(([name, { count }]) => [name, count]));
    yield* jsonChunks({ format: FORMAT, sizes, operationsAt, ...meta });
  }

  /** Encodes up to the first operation. */
  private *encodeCollections(
    collections: DocumentsSnapshot['collections'],
  ): Generator<string | Buffer, void, undefined> {
    let opening = '{';
    for (const [name, documents] of collections) {
      yield `${opening}${JSON.stringify(name)}:{\n`;
      let separator = '';
      for (const { bytes } of documents.blocks()) {
        yield separator;
        yield bytes;
        separator = LINE_SEPARATOR;
      }
      opening = separator === '' ? '},' : '\n},';
    }
    yield `${opening}${OPERATIONS}`;
  }

  /** Documents share the memory of `body`. Throws `data-corrupt` naming `path` for an unknown format. */
  decode(body: Buffer, path: string): DocumentsSnapshot {
    const lastLine = body.lastIndexOf(NEWLINE) + 1;
    return lastLine === 0 ? this.decodeOneLine(body, path) : this.decodeLines(body, lastLine, path);
  }

  private decodeLines(body: Buffer, lastLine: number, path: string): DocumentsSnapshot {
    const written = JSON.parse(body.toString('utf8', lastLine + `},${META}`.length)) as SnapshotMetaData;
    const meta = metaOf(written, path);
    const known = new Map(
      this.declarations.map((declaration) => {
        const counter = meta.counters[declaration.name] ?? 0;
        return [declaration.name, { lines: new DocumentLines(declaration), counter }];
      }),
    );
    const { operationsAt } = written;
    // The line before the first operation opens their list.
    const end = operationsAt === undefined ? lastLine : body.lastIndexOf(NEWLINE, operationsAt - 2) + 1;
    const found = readBlocks(body, end, known, path);
    const tables = [...known].map(([name, { lines, counter }]) => {
      const packed = new PackedDocuments(found.get(name) ?? [], written.sizes?.[name] ?? 0, lines.ids);
      return [name, TableSnapshot.ofPacked(packed, lines, counter)] as const;
    });
    const operations =
      operationsAt === undefined
        ? CapturedOperations.of(written.operations ?? [])
        : new CapturedOperations([body.subarray(operationsAt, Math.max(operationsAt, lastLine - 1))]);
    return { collections: new Map(tables), operations, meta };
  }

  private decodeOneLine(body: Buffer, path: string): DocumentsSnapshot {
    const { _meta, _operations, ...plain } = JSON.parse(`${body.toString('utf8')}}`) as OneLine;
    const meta = metaOf(_meta, path);
    const tables = this.declarations.map((declaration) => {
      const { name } = declaration;
      const lines = new DocumentLines(declaration);
      const table = new DocumentTable(declaration);
      const counter = meta.counters[name] ?? 0;
      for (const [id, members] of Object.entries(plain[name] ?? {})) {
        table.set(lines.ids.parse(id), lines.stored(members, counter));
      }
      return [name, table.capture(counter)] as const;
    });
    return {
      collections: new Map(tables),
      operations: CapturedOperations.of(_operations ?? _meta.operations ?? []),
      meta,
    };
  }
}

function metaOf(written: SnapshotMetaData, path: string): SnapshotMeta {
  const { format, sizes: _sizes, operationsAt: _at, operations: _operations, ...meta } = written;
  if (FORMATS.includes(format)) return meta;
  throw new AppError('data-corrupt', `${path}: unknown format ${String(format)}`, { retry: 'never' });
}
