import { Injectable } from '@nestjs/common';
import type { Statement } from 'better-sqlite3';
import { SqlDatabase } from '../../platform/sql/index.js';
import { sealOf } from '../../platform/sql-check/index.js';
import {
  type BookRow,
  type BookValues,
  type BookWithItem,
  type NewBookRow,
  SELECT_BOOK,
  StoredBooks,
  valuesOf,
} from './book-row.js';
import type { Book } from './book.schemas.js';

/** Prepares its hot statements once. Writes run only inside work of the write executor; `BookReads` serves clients' reads. */
@Injectable()
export class BookRepository {
  private readonly insertRow: Statement<[...BookValues, seal: number]>;
  private readonly updateRow: Statement<[...BookValues, seal: number, id: number]>;
  private readonly deleteRow: Statement<[number]>;
  private readonly findForWrite: Statement<[number], BookWithItem>;
  private readonly anyIdGiven: Statement<[], number>;
  private readonly raiseSequence: Statement<[number]>;
  private readonly beginSequence: Statement<[number]>;
  private readonly stored: StoredBooks;

  constructor(database: SqlDatabase) {
    const { writeHandle: write } = database;
    this.stored = new StoredBooks(database.damaged);
    this.insertRow = write.prepare('INSERT INTO books (title, author, price_cents, seal) VALUES (?, ?, ?, ?)');
    this.updateRow = write.prepare('UPDATE books SET title = ?, author = ?, price_cents = ?, seal = ? WHERE id = ?');
    this.deleteRow = write.prepare('DELETE FROM books WHERE id = ?');
    this.findForWrite = write.prepare(`${SELECT_BOOK} WHERE books.id = ?`);
    this.raiseSequence = write.prepare("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'books'");
    this.beginSequence = write.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('books', ?)");
    this.anyIdGiven = database.reader.handle
      .prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'books'")
      .pluck();
  }

  /** Ensures that no later book gets an id up to this one. */
  passOver(id: number): void {
    if (this.raiseSequence.run(id).changes === 0) this.beginSequence.run(id);
  }

  insert(row: NewBookRow): BookRow {
    const values = valuesOf(row);
    const { lastInsertRowid } = this.insertRow.run(...values, sealOf(values));
    return { id: Number(lastInsertRowid), ...row };
  }

  update(row: BookRow): void {
    const values = valuesOf(row);
    this.updateRow.run(...values, sealOf(values), row.id);
  }

  delete(id: number): void {
    this.deleteRow.run(id);
  }

  /** Sees the earlier changes of the same commit. Throws `storage-damaged`. */
  findWithinWrite(id: number): Book | undefined {
    const row = this.findForWrite.get(id);
    return row && this.stored.bookOf(row);
  }

  hasEverHeldABook(): boolean {
    return this.anyIdGiven.get() !== undefined;
  }
}
