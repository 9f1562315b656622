import { describe, expect, it } from '@jest/globals';
import { isAppError } from '../../kernel/index.js';
import { validBody } from '../../platform/http/index.js';
import { credentialsSchema, emailQuestionSchema, loginSchema } from './registration.schemas.js';

const CREDENTIALS = { email: 'ada@example.org', password: ' pass ' };

/** The refused fields. */
function refused(schema: Parameters<typeof validBody>[0], body: unknown): readonly string[] {
  try {
    validBody(schema, body, ['id']);
    return [];
  } catch (error) {
    if (!isAppError(error, 'validation-failed')) throw error;
    expect(JSON.stringify([error.message, error.fields])).not.toContain('hidden');
    return error.fields.map(({ field }) => field);
  }
}

describe('the body of a registration', () => {
  it.each([
    ['correo', 'clave'],
    ['email', 'password'],
    ['correo', 'contrasena'],
  ])('given %s and %s, takes both, trims the e-mail and not the password', (email, password) => {
    const body = { [email]: ' ada@example.org ', [password]: ' pass ', id: 'ignored' };
    expect(validBody(credentialsSchema, body, ['id'])).toEqual(CREDENTIALS);
  });

  it.each([
    [{}, ['correo', 'clave']],
    [undefined, ['correo', 'clave']],
    [{ correo: 'a@b' }, ['clave']],
    [{ clave: 'hidden' }, ['correo']],
    [{ correo: 'a@b', email: 'a@b', clave: 'hidden' }, ['email']],
    [{ correo: 'a@b', clave: 'hidden', password: 'hidden' }, ['password']],
    [{ correo: 'a@b', clave: 'hidden', admin: true }, ['admin']],
    [{ correo: 'ab', clave: 'hidden' }, ['correo']],
    [{ correo: 'a@b@c', clave: 'hidden' }, ['correo']],
    [{ correo: 7, clave: 7 }, ['correo', 'clave']],
    [{ correo: null, clave: null }, ['correo', 'clave']],
    [{ correo: `${'x'.repeat(319)}@b`, clave: 'hidden' }, ['correo']],
    [{ correo: 'a@b', clave: '' }, ['clave']],
    [{ correo: 'a@b', clave: 'hidden'.padEnd(129, 'x') }, ['clave']],
    [{ correo: 'a@b', clave: 'hidden\ud800' }, ['clave']],
    ['hidden', ['body']],
  ])('given %j, names %j and quotes no password', (body, fields) => {
    expect(new Set(refused(credentialsSchema, body))).toEqual(new Set(fields));
  });

  it.each(['x', ' ', 'x'.repeat(128), '😀'.repeat(128)])('given the password %j, takes it as it is', (password) => {
    expect(validBody(credentialsSchema, { correo: 'a@b', clave: password }, [])).toEqual({ email: 'a@b', password });
  });
});

describe('the body of a login', () => {
  it.each([undefined, {}])('given %j, is none', (body) => {
    expect(validBody(loginSchema, body, [])).toBeUndefined();
  });

  it('given both fields, is both; given one, names the other', () => {
    expect(validBody(loginSchema, { email: 'ada@example.org', contrasena: ' pass ' }, [])).toEqual(CREDENTIALS);
    expect(refused(loginSchema, { correo: 'a@b' })).toEqual(['clave']);
    expect(refused(loginSchema, { clave: 'hidden' })).toEqual(['correo']);
  });
});

describe('the question whether an e-mail is free', () => {
  it('given either name, takes it; given another field, refuses it', () => {
    expect(validBody(emailQuestionSchema, { email: 'a@b' }, [])).toEqual({ email: 'a@b' });
    expect(refused(emailQuestionSchema, { correo: 'a@b', clave: 'hidden' })).toEqual(['clave']);
    expect(refused(emailQuestionSchema, {})).toEqual(['correo']);
  });
});
