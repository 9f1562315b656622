import { AppError } from '../../kernel/index.js';

/** What may be shown of a registered user. */
export interface RegisteredUser {
  readonly id: string;
  /** As the user gave it. */
  readonly email: string;
}

export interface StoredUser extends RegisteredUser {
  readonly account: string;
  /** argon2id with its parameters and salt. Never shown or logged. */
  readonly passwordHash: string;
  readonly atMs: number;
}

/** Two e-mails with one account belong to one user: capitals make no difference, nor does the way in which accents are written. */
export function accountOf(email: string): string {
  return email.normalize('NFC').toLowerCase();
}

export function emailTaken(): AppError {
  const fields = [{ field: 'correo', message: 'is registered already' }];
  return new AppError('exists', 'correo is registered already; nothing was written', { retry: 'never', fields });
}
