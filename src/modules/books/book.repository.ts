import { Injectable } from '@nestjs/common';
import type { Statement } from 'better-sqlite3';
import { SqlDatabase } from '../../platform/sql/index.js';
import { RowSeal, sealOf } from '../../platform/sql-check/index.js';

export interface BookRow {
  readonly id: number;
  readonly title: string;
  readonly author: string;
  readonly priceCents: number;
  readonly quantity: number;
}

export type NewBookRow = Omit<BookRow, 'id'>;

type Sealed<Row> = Row & { readonly seal: number | null };

/** Prepares its hot statements once. Writes run only inside work of the write executor, reads on the read connection. */
@Injectable()
export class BookRepository {
  private readonly insertRow: Statement<[Sealed<NewBookRow>]>;
  private readonly updateRow: Statement<[Sealed<BookRow>]>;
  private readonly deleteRow: Statement<[number]>;
  private readonly findForWrite: Statement<[number], Sealed<BookRow>>;
  private readonly findCommitted: Statement<[number], Sealed<BookRow>>;
  private readonly pageCommitted: Statement<[number, number], Sealed<BookRow>>;
  private readonly countCommitted: Statement<[], number>;
  private readonly anyIdGiven: Statement<[], number>;
  private readonly raiseSequence: Statement<[number]>;
  private readonly beginSequence: Statement<[number]>;
  private readonly seal: RowSeal;

  constructor(database: SqlDatabase) {
    const { writeHandle: write } = database;
    this.seal = new RowSeal('books', database.damaged);
    const read = database.reader.handle;
    const selectRow = 'SELECT id, title, author, price_cents AS priceCents, quantity, seal FROM books';
    this.insertRow = write.prepare(
      `INSERT INTO books (title, author, price_cents, quantity, seal)
       VALUES (@title, @author, @priceCents, @quantity, @seal)`,
    );
    this.updateRow = write.prepare(
      `UPDATE books SET title = @title, author = @author, price_cents = @priceCents, quantity = @quantity, seal = @seal
       WHERE id = @id`,
    );
    this.deleteRow = write.prepare('DELETE FROM books WHERE id = ?');
    this.findForWrite = write.prepare(`${selectRow} WHERE id = ?`);
    this.findCommitted = read.prepare(`${selectRow} WHERE id = ?`);
    this.pageCommitted = read.prepare(`${selectRow} WHERE id > ? ORDER BY id LIMIT ?`);
    this.countCommitted = read.prepare<[], number>('SELECT count(*) FROM books').pluck();
    this.raiseSequence = write.prepare("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'books'");
    this.beginSequence = write.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('books', ?)");
    this.anyIdGiven = read.prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'books'").pluck();
  }

  /** Ensures that no later book gets an id up to this one. */
  passOver(id: number): void {
    if (this.raiseSequence.run(id).changes === 0) this.beginSequence.run(id);
  }

  insert(row: NewBookRow): BookRow {
    const { lastInsertRowid } = this.insertRow.run({ ...row, seal: sealOf(valuesOf(row)) });
    return { id: Number(lastInsertRowid), ...row };
  }

  update(row: BookRow): void {
    this.updateRow.run({ ...row, seal: sealOf(valuesOf(row)) });
  }

  delete(id: number): void {
    this.deleteRow.run(id);
  }

  /** Sees the earlier changes of the same commit. */
  findWithinWrite(id: number): BookRow | undefined {
    return this.checked(this.findForWrite.get(id));
  }

  find(id: number): BookRow | undefined {
    return this.checked(this.findCommitted.get(id));
  }

  page(after: number, limit: number): BookRow[] {
    const rows = this.pageCommitted.all(after, limit);
    rows.forEach((row) => this.checked(row));
    return rows;
  }

  count(): number {
    return this.countCommitted.get() ?? 0;
  }

  hasEverHeldABook(): boolean {
    return this.anyIdGiven.get() !== undefined;
  }

  /** Throws `storage-damaged`. */
  private checked(row: Sealed<BookRow> | undefined): BookRow | undefined {
    if (row !== undefined) this.seal.check(row.id, row.seal, valuesOf(row));
    return row;
  }
}

/** Returns the values in the order of SEALED_BOOKS. */
function valuesOf({ title, author, priceCents, quantity }: NewBookRow): readonly (string | number)[] {
  return [title, author, priceCents, quantity];
}
