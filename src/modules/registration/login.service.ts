import { AppError } from '../../kernel/index.js';
import type { PasswordHasher } from '../../platform/passwords/index.js';
import type { TokenKeys } from '../../platform/tokens/index.js';
import type { LoginLimit } from './login-limit.js';
import { accountOf } from './registered-user.js';
import type { RegisteredUserRepository } from './registered-user.repository.js';
import type { Credentials } from './registration.schemas.js';

const LIFETIME_SECONDS = 5 * 3_600;
const MS_PER_SECOND = 1_000;
/** A hash with the parameters of every other one; its password was random and is not known. */
const HASH_OF_NOBODY =
  '$argon2id$v=19$m=19456,t=2,p=1$sPTRrSs9ZHtdeFhHQC4/gA$agWIy9CXQCXApOJnIrMxp1QPWXL6iyU0YQWm3T/G9XM';

/** The scopes of tokens: of a user, or good for registering only. */
const USER = 'user';
const REGISTER = 'register';

export interface IssuedToken {
  readonly token: string;
  readonly expiresInSeconds: number;
}

interface LoginPorts {
  readonly hasher: Pick<PasswordHasher, 'matches'>;
  readonly tokens: Pick<TokenKeys, 'sign' | 'verify'>;
}

/** Gives tokens for passwords, and says whom a token is for. */
export class LoginService {
  constructor(
    private readonly ports: LoginPorts,
    private readonly users: Pick<RegisteredUserRepository, 'find' | 'findByAccount'>,
    private readonly limit: LoginLimit,
  ) {}

  /**
   * Rejects with `unauthorized`, `too-many-logins`, or the refusals of `PasswordHasher.matches`. An unknown e-mail takes as long as
   * a wrong password and gets the same answer.
   */
  async login({ email, password }: Credentials): Promise<IssuedToken> {
    const account = accountOf(email);
    this.limit.attempt(account);
    const user = this.users.findByAccount(account);
    const matches = await this.ports.hasher
      .matches(password, user?.passwordHash ?? HASH_OF_NOBODY)
      .catch((error: unknown) => {
        this.limit.notTried(account);
        throw error;
      });
    if (user === undefined || !matches) {
      throw new AppError('unauthorized', 'the e-mail or the password is wrong', { retry: 'never' });
    }
    this.limit.succeeded(account);
    return this.issue(USER, user.id);
  }

  tokenToRegister(): Promise<IssuedToken> {
    return this.issue(REGISTER);
  }

  /** Whether the token is valid: for registering, or of a user who exists. */
  async isValid(token: string): Promise<boolean> {
    return (await this.scopeOf(token)) !== undefined;
  }

  /** Whether the token is of a user who exists. */
  async isOfUser(token: string): Promise<boolean> {
    return (await this.scopeOf(token)) === USER;
  }

  private async scopeOf(token: string): Promise<string | undefined> {
    const claims = await this.ports.tokens.verify(token);
    if (claims?.scope === REGISTER) return REGISTER;
    const isUser =
      claims?.scope === USER && claims.subject !== undefined && this.users.find(claims.subject) !== undefined;
    return isUser ? USER : undefined;
  }

  private async issue(scope: string, subject?: string): Promise<IssuedToken> {
    const token = await this.ports.tokens.sign({ scope, subject }, LIFETIME_SECONDS * MS_PER_SECOND);
    return { token, expiresInSeconds: LIFETIME_SECONDS };
  }
}
