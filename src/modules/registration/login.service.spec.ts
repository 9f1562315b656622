import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../kernel/index.js';
import type { TokenClaims } from '../../platform/tokens/index.js';
import { LoginLimit } from './login-limit.js';
import { LoginService } from './login.service.js';

const ADA = { id: '7', email: 'ada@x', account: 'ada@x', passwordHash: '$argon2id$ada', atMs: 0 };
const RIGHT = { email: 'ADA@x', password: 'right' };
const WRONG = { email: 'ada@x', password: 'wrong' };
const UNKNOWN = { email: 'nobody@x', password: 'right' };

function service(failing?: AppError) {
  const compared: string[] = [];
  const known = new Map([[ADA.id, ADA]]);
  const logins = new LoginService(
    {
      hasher: {
        matches: (password, hash) => {
          compared.push(hash);
          return failing ? Promise.reject(failing) : Promise.resolve(password === 'right');
        },
      },
      tokens: {
        sign: (claims) => Promise.resolve(JSON.stringify(claims)),
        verify: (token) => Promise.resolve(token === '' ? undefined : (JSON.parse(token) as TokenClaims)),
      },
    },
    { find: (id) => known.get(id), findByAccount: (account) => (account === ADA.account ? ADA : undefined) },
    new LoginLimit(() => 0),
  );
  return { logins, compared, known };
}

describe('a login', () => {
  it('given the right password, gives a token of the user for five hours', async () => {
    const { logins } = service();
    const { token, expiresInSeconds } = await logins.login(RIGHT);
    expect([expiresInSeconds, await logins.isOfUser(token), await logins.isValid(token)]).toEqual([18_000, true, true]);
  });

  it('given a wrong password or an unknown e-mail, compares a hash with the same parameters and gives the same answer', async () => {
    const { logins, compared } = service();
    const [wrong, unknown] = await Promise.all(
      [WRONG, UNKNOWN].map((one) => logins.login(one).catch((error: unknown) => error as AppError)),
    );
    expect(wrong).toMatchObject({ code: 'unauthorized' });
    expect(unknown).toEqual(wrong);
    expect(compared).toEqual([ADA.passwordHash, expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)]);
  });

  it.each([
    ['a wrong password', WRONG],
    ['an unknown e-mail', UNKNOWN],
  ])('given %s ten times, refuses the eleventh without comparing anything', async (_what, credentials) => {
    const { logins, compared } = service();
    const codes = await Promise.all(
      Array.from({ length: 11 }, () => logins.login(credentials).catch((error: unknown) => (error as AppError).code)),
    );
    expect(codes).toEqual([...Array<string>(10).fill('unauthorized'), 'too-many-logins']);
    expect(compared).toHaveLength(10);
  });

  it('given passwords that could not be compared, passes on why and does not count them', async () => {
    const { logins } = service(new AppError('too-many-hashes', 'full', { retry: 'safe' }));
    for (let i = 0; i < 12; i += 1)
      await expect(logins.login(WRONG)).rejects.toMatchObject({ code: 'too-many-hashes' });
  });

  it('given a token for registering only, says that it is valid and not of a user', async () => {
    const { logins } = service();
    const { token } = await logins.tokenToRegister();
    expect([await logins.isValid(token), await logins.isOfUser(token)]).toEqual([true, false]);
  });

  it('given a token of a user who does not exist, or none, says that it is not valid', async () => {
    const { logins, known } = service();
    const { token } = await logins.login(RIGHT);
    known.clear();
    expect([await logins.isValid(token), await logins.isOfUser(token), await logins.isValid('')]).toEqual([
      ...[false, false, false],
    ]);
  });
});
