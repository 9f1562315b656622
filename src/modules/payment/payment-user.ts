import { AppError } from '../../kernel/index.js';

/**
 * The money of one user, in the smallest unit. Invariant: nothing is below zero, and credit + held + charged = funded. Amounts
 * move only between these fields.
 */
export interface PaymentUser {
  readonly id: string;
  /** What the user can spend. */
  readonly credit: number;
  /** What checkouts under way have authorised and not yet captured. */
  readonly held: number;
  readonly charged: number;
  /** Everything that was ever added. */
  readonly funded: number;
  /** The run of `batch_init` that wrote the user; 0: none did. */
  readonly setNumber: number;
}

export function newUser(id: string, funded = 0, setNumber = 0): PaymentUser {
  return { id, credit: funded, held: 0, charged: 0, funded, setNumber };
}

/** Throws `conflict` when the sum would exceed what a number holds exactly. */
export function funded(user: PaymentUser, amount: number): PaymentUser {
  const sum = user.funded + amount;
  if (!Number.isSafeInteger(sum)) {
    const message = `user ${user.id} was funded with ${String(user.funded)}, and may be with at most ${String(Number.MAX_SAFE_INTEGER)}`;
    throw new AppError('conflict', message, { retry: 'never' });
  }
  return { ...user, credit: user.credit + amount, funded: sum };
}

/** Throws `too-little-credit`, or `credit-held` where the amount that checkouts hold would suffice. */
export function charged(user: PaymentUser, amount: number): PaymentUser {
  const refusal = refusalToSpend(user, amount);
  if (refusal) throw refusal;
  return { ...user, credit: user.credit - amount, charged: user.charged + amount };
}

/** Why the user cannot spend the amount now: `too-little-credit`, or `credit-held` where what checkouts hold would suffice. */
export function refusalToSpend({ id, credit, held }: PaymentUser, amount: number): AppError | undefined {
  if (amount > credit + held) {
    const message = `user ${id} has a credit of ${String(credit)}, and ${String(amount)} are needed; nothing was taken`;
    return new AppError('too-little-credit', message, { retry: 'never' });
  }
  if (amount > credit) {
    const message = `user ${id} has a credit of ${String(credit)}, and checkouts hold another ${String(held)}; nothing was taken: try again when they have ended`;
    return new AppError('credit-held', message, { retry: 'safe', retryAfterSeconds: 1 });
  }
  return undefined;
}

export function noUser(id: string): AppError {
  return new AppError('not-found', `user ${id} does not exist`, { retry: 'never' });
}
