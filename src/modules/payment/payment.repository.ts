import { type SqlDatabase, SealedRows } from '../../platform/sql/index.js';
import { SEALED_PAYMENT_USERS } from './create-payment-users.migration.js';
import { noUser, type PaymentUser } from './payment-user.js';

/** Writes run only inside work of the write executor of `payment.db`. */
export class PaymentRepository extends SealedRows<PaymentUser> {
  constructor(database: Pick<SqlDatabase, 'writeHandle' | 'reader' | 'damaged'>) {
    super(database, SEALED_PAYMENT_USERS, ({ id, credit, held, charged, funded, setNumber }) => [
      id,
      credit,
      held,
      charged,
      funded,
      setNumber,
    ]);
  }

  /** Writes what `change` makes of the user, and returns it. Throws `not-found` and what `change` throws. */
  change(id: string, change: (user: PaymentUser) => PaymentUser): PaymentUser {
    const user = this.findWithinWrite(id);
    if (user === undefined) throw noUser(id);
    const changed = change(user);
    this.put(changed);
    return changed;
  }
}
