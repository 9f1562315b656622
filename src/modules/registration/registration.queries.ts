import { AppError } from '../../kernel/index.js';
import { accountOf, type RegisteredUser } from './registered-user.js';
import type { RegisteredUserRepository, UserPage } from './registered-user.repository.js';

/** Reads of registered users. None of them holds a password or its hash. */
export class RegistrationQueries {
  constructor(private readonly users: RegisteredUserRepository) {}

  findByEmail(email: string): RegisteredUser | undefined {
    const found = this.users.findByAccount(accountOf(email));
    return found && { id: found.id, email: found.email };
  }

  /** Throws `not-found`. */
  readByEmail(email: string): RegisteredUser {
    const found = this.findByEmail(email);
    if (found === undefined) throw new AppError('not-found', 'this e-mail is not registered', { retry: 'never' });
    return found;
  }

  exists(id: string): boolean {
    return this.users.find(id) !== undefined;
  }

  page(request: { readonly limit: number; readonly after: string }): UserPage {
    return this.users.page(request);
  }
}
