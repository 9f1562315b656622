import type { Statement } from 'better-sqlite3';
import type { SqlDatabase } from '../../platform/sql/index.js';
import { RowSeal, sealOf } from '../../platform/sql-check/index.js';
import { SEALED_PAYMENT_USERS } from './create-payment-users.migration.js';
import { noUser, type PaymentUser } from './payment-user.js';

type SealedUser = PaymentUser & { readonly seal: number | null };

const SELECT = `SELECT id, credit, held, charged, funded, set_number AS setNumber, seal FROM payment_users WHERE id = ?`;

/** Writes run only inside work of the write executor of `payment.db`. */
export class PaymentRepository {
  private readonly putRow: Statement<[SealedUser]>;
  private readonly updateRow: Statement<[SealedUser]>;
  private readonly findForWrite: Statement<[string], SealedUser>;
  private readonly findCommitted: Statement<[string], SealedUser>;
  private readonly seal: RowSeal;

  constructor(database: Pick<SqlDatabase, 'writeHandle' | 'reader' | 'damaged'>) {
    const { writeHandle: write } = database;
    this.seal = new RowSeal(SEALED_PAYMENT_USERS.table, database.damaged);
    this.putRow = write.prepare(
      `INSERT OR REPLACE INTO payment_users (id, credit, held, charged, funded, set_number, seal)
       VALUES (@id, @credit, @held, @charged, @funded, @setNumber, @seal)`,
    );
    this.updateRow = write.prepare(
      'UPDATE payment_users SET credit = @credit, held = @held, charged = @charged, funded = @funded, seal = @seal WHERE id = @id',
    );
    this.findForWrite = write.prepare(SELECT);
    this.findCommitted = database.reader.handle.prepare(SELECT);
  }

  /** Inserts the user, or replaces the user who has that id. */
  put(user: PaymentUser): void {
    this.putRow.run(sealed(user));
  }

  /** Writes what `change` makes of the user, and returns it. Throws `not-found` and what `change` throws. */
  change(id: string, change: (user: PaymentUser) => PaymentUser): PaymentUser {
    const user = this.findWithinWrite(id);
    if (user === undefined) throw noUser(id);
    const changed = change(user);
    this.updateRow.run(sealed(changed));
    return changed;
  }

  /** Sees the earlier changes of the same commit. */
  findWithinWrite(id: string): PaymentUser | undefined {
    return this.checked(this.findForWrite.get(id));
  }

  find(id: string): PaymentUser | undefined {
    return this.checked(this.findCommitted.get(id));
  }

  /** Throws `storage-damaged`. */
  private checked(row: SealedUser | undefined): PaymentUser | undefined {
    if (row !== undefined) this.seal.check(row.id, row.seal, valuesOf(row));
    return row;
  }
}

function sealed(user: PaymentUser): SealedUser {
  return { ...user, seal: sealOf(valuesOf(user)) };
}

/** Returns the values in the order of SEALED_PAYMENT_USERS. */
function valuesOf({ id, credit, held, charged, funded, setNumber }: PaymentUser): readonly (string | number)[] {
  return [id, credit, held, charged, funded, setNumber];
}
