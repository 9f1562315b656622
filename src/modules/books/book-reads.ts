import type { Statement } from 'better-sqlite3';
import { AppError, type MaybePromise } from '../../kernel/index.js';
import type { CachedRead, GenerationCache } from '../../platform/cache/index.js';
import type { PageRequest, PreparedBody } from '../../platform/http/index.js';
import type { SqlReader } from '../../platform/sql/index.js';
import { type BookWithItem, SELECT_BOOK, StoredBooks, TABLE } from './book-row.js';
import type { Book } from './book.schemas.js';

export interface BookPage {
  readonly books: readonly Book[];
  readonly hasMore: boolean;
  /** The number of books on all pages. */
  readonly total: number;
}

/** Reads committed books through the cache, in every process that has the database open. */
export class BookReads {
  private readonly findRow: Statement<[number], BookWithItem>;
  private readonly pageRows: Statement<[number, number], BookWithItem>;
  private readonly countRows: Statement<[], number>;
  private readonly stored: StoredBooks;

  constructor(
    { reader, damaged }: { readonly reader: Pick<SqlReader, 'handle'>; readonly damaged: (what: string) => AppError },
    private readonly cache: GenerationCache<PreparedBody>,
  ) {
    const { handle } = reader;
    this.stored = new StoredBooks(damaged);
    this.findRow = handle.prepare(`${SELECT_BOOK} WHERE books.id = ?`);
    this.pageRows = handle.prepare(`${SELECT_BOOK} WHERE books.id > ? ORDER BY books.id LIMIT ?`);
    this.countRows = handle.prepare<[], number>('SELECT count(*) FROM books').pluck();
  }

  /** `prepare` makes the cached value. Throws `not-found`. */
  find(id: number, prepare: (book: Book) => PreparedBody): CachedRead<PreparedBody> {
    return this.cache.read(TABLE, String(id), () => {
      const row = this.findRow.get(id);
      if (row === undefined) throw notFound(id);
      return prepare(this.stored.bookOf(row));
    });
  }

  page(
    request: PageRequest,
    prepare: (page: BookPage, request: PageRequest) => PreparedBody,
  ): MaybePromise<CachedRead<PreparedBody>> {
    const { after, limit } = request;
    return this.cache.readShared(TABLE, pageName(request), () => {
      const rows = this.pageRows.all(after, limit + 1).map((row) => this.stored.bookOf(row));
      return prepare(
        { books: rows.slice(0, limit), hasMore: rows.length > limit, total: this.countRows.get() ?? 0 },
        request,
      );
    });
  }

  /** Reads what memory holds of this book; undefined when it holds nothing. */
  remembered(id: number): () => PreparedBody | undefined {
    const name = String(id);
    return () => this.cache.remembered(TABLE, name);
  }

  /** Reads what memory holds of this page; undefined when it holds nothing. */
  rememberedPage(request: PageRequest): () => PreparedBody | undefined {
    const name = pageName(request);
    return () => this.cache.remembered(TABLE, name);
  }
}

function pageName({ after, limit }: PageRequest): string {
  return `after=${String(after)}&limit=${String(limit)}`;
}

export function notFound(id: number): AppError {
  return new AppError('not-found', `book ${String(id)} does not exist`, { retry: 'never' });
}
