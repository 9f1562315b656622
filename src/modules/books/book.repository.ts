import { Injectable } from '@nestjs/common';
import type { Statement } from 'better-sqlite3';
import { SqlDatabase } from '../../platform/sql/index.js';

export interface BookRow {
  readonly id: number;
  readonly title: string;
  readonly author: string;
  readonly priceCents: number;
  readonly quantity: number;
}

export type NewBookRow = Omit<BookRow, 'id'>;

/**
 * Statements prepared once, as these are hot paths. The writing ones run only inside work of the database's write
 * executor, the reading ones on the read connection.
 */
@Injectable()
export class BookRepository {
  private readonly insertRow: Statement<[NewBookRow]>;
  private readonly updateRow: Statement<[BookRow]>;
  private readonly deleteRow: Statement<[number]>;
  private readonly findForWrite: Statement<[number], BookRow>;
  private readonly findCommitted: Statement<[number], BookRow>;
  private readonly pageCommitted: Statement<[number, number], BookRow>;
  private readonly countCommitted: Statement<[], number>;
  private readonly anyIdGiven: Statement<[], number>;
  private readonly raiseSequence: Statement<[number]>;
  private readonly beginSequence: Statement<[number]>;

  constructor(database: SqlDatabase) {
    const { writeHandle: write } = database;
    const read = database.reader.handle;
    const selectRow = 'SELECT id, title, author, price_cents AS priceCents, quantity FROM books';
    this.insertRow = write.prepare(
      'INSERT INTO books (title, author, price_cents, quantity) VALUES (@title, @author, @priceCents, @quantity)',
    );
    this.updateRow = write.prepare(
      'UPDATE books SET title = @title, author = @author, price_cents = @priceCents, quantity = @quantity WHERE id = @id',
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

  /** No book gets an id up to this one from now on. */
  passOver(id: number): void {
    if (this.raiseSequence.run(id).changes === 0) this.beginSequence.run(id);
  }

  insert(row: NewBookRow): BookRow {
    const { lastInsertRowid } = this.insertRow.run(row);
    return { id: Number(lastInsertRowid), ...row };
  }

  update(row: BookRow): void {
    this.updateRow.run(row);
  }

  delete(id: number): void {
    this.deleteRow.run(id);
  }

  /** Sees what the same commit has done so far. */
  findWithinWrite(id: number): BookRow | undefined {
    return this.findForWrite.get(id);
  }

  find(id: number): BookRow | undefined {
    return this.findCommitted.get(id);
  }

  page(after: number, limit: number): BookRow[] {
    return this.pageCommitted.all(after, limit);
  }

  count(): number {
    return this.countCommitted.get() ?? 0;
  }

  hasEverHeldABook(): boolean {
    return this.anyIdGiven.get() !== undefined;
  }
}
