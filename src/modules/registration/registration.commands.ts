import { AppError, type Clock } from '../../kernel/index.js';
import type { PasswordHasher } from '../../platform/passwords/index.js';
import type { RecordedAnswer, Recording } from '../../platform/sql/index.js';
import type { OpenSqlFile } from '../store-registration/index.js';
import type { Credentials } from './registration.schemas.js';
import { accountOf, emailTaken, type RegisteredUser } from './registered-user.js';
import type { RegisteredUserRepository } from './registered-user.repository.js';

export interface RegistrationPorts {
  readonly hasher: Pick<PasswordHasher, 'hash'>;
  readonly clock: Clock;
  readonly newId: () => string;
}

/**
 * Registers users. Invariant: one account has one user. The table keeps it; that registrations of one account also go one after the
 * other here only saves hashes, which are most of the work.
 */
export class RegistrationCommands {
  private readonly underWay = new Map<string, Promise<unknown>>();

  constructor(
    private readonly ports: RegistrationPorts,
    private readonly file: OpenSqlFile,
    private readonly users: RegisteredUserRepository,
    /** The shortest password, in characters. */
    private readonly passwordMin: number,
  ) {}

  /**
   * Rejects with `validation-failed`, `exists`, or the refusals of `PasswordHasher.hash`; then nothing is written. The user is
   * durable when it resolves.
   */
  async register({ email, password }: Credentials, recording: Recording<RegisteredUser>): Promise<RecordedAnswer> {
    if ([...password].length < this.passwordMin) throw this.tooShort();
    const account = accountOf(email);
    // No await may follow this loop before the account is reserved: another request could reserve it.
    for (let first = this.underWay.get(account); first; first = this.underWay.get(account)) {
      await first.catch(() => undefined);
    }
    if (this.users.findByAccount(account) !== undefined) throw emailTaken();
    const written = this.write(email, account, password, recording);
    this.underWay.set(account, written);
    try {
      return await written;
    } finally {
      this.underWay.delete(account);
    }
  }

  private async write(
    email: string,
    account: string,
    password: string,
    recording: Recording<RegisteredUser>,
  ): Promise<RecordedAnswer> {
    const passwordHash = await this.ports.hasher.hash(password);
    const user = { id: this.ports.newId(), email, account, passwordHash, atMs: this.ports.clock.nowMs() };
    const { database, operations } = this.file;
    return database.writer.run(() => {
      if (!this.users.insert(user)) throw emailTaken();
      return operations.record(recording, { id: user.id, email });
    });
  }

  private tooShort(): AppError {
    const message = `must have ${String(this.passwordMin)} characters or more`;
    const fields = [{ field: 'clave', message }];
    return new AppError('validation-failed', `clave ${message}`, { retry: 'never', fields });
  }
}
