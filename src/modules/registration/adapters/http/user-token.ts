import type { FastifyRequest } from 'fastify';
import { AppError } from '../../../../kernel/index.js';
import type { LoginService } from '../../login.service.js';

/** Routes on which `Authorization` carries a user's token, so that an API key comes as `X-Api-Key`. */
export const TAKES_USER_TOKEN = { takesUserToken: true } as const;

/** The token of the request, with or without `Bearer`, whatever it is worth; undefined when there is none. */
export function tokenOf({ headers }: FastifyRequest): string | undefined {
  const given = headers.authorization?.trim() ?? '';
  return given === '' ? undefined : given.replace(/^Bearer(?:\s+|$)/i, '');
}

/** Rejects with `unauthorized` unless the token is valid. */
export async function needToken(request: FastifyRequest, logins: LoginService): Promise<void> {
  const token = tokenOf(request);
  if (token === undefined || !(await logins.isValid(token))) throw noToken();
}

/** Rejects with `unauthorized` unless the token is of a user. */
export async function needUser(request: FastifyRequest, logins: LoginService): Promise<void> {
  const token = tokenOf(request);
  if (token === undefined || !(await logins.isOfUser(token))) throw noToken();
}

/** Rejects with `validation-failed` when there is a token and it is not valid. */
export async function refuseInvalidToken(request: FastifyRequest, logins: LoginService): Promise<void> {
  const token = tokenOf(request);
  if (token === undefined || (await logins.isValid(token))) return;
  const fields = [{ field: 'Authorization', message: 'must be a valid token, or absent' }];
  throw new AppError('validation-failed', 'Authorization must be a valid token, or absent', { retry: 'never', fields });
}

function noToken(): AppError {
  return new AppError('unauthorized', 'send a valid token of a user as Authorization: Bearer (POST /token gives one)', {
    retry: 'never',
  });
}
