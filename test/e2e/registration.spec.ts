import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { type Answer, Client, newKey } from './support/client.js';
import { useSharedApp } from './support/shared-app.js';

const REGISTER = '/user-commands/users/register';
const CHECK_USER = '/user-queries/users/check_user';
const CHECK = '/user-queries/users/check';
const LIST = '/user-db/users';
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;
const FIVE_HOURS = 18_000;
const DAY_MS = 86_400_000;
const PASSWORD = 'a password that nothing shows';

let emails = 0;
const newEmail = (): string => `user-${String((emails += 1))}@example.org`;

const register = (client: Client, correo: string, clave = PASSWORD): Promise<Answer> =>
  client.post(REGISTER, { correo, clave });

async function tokenFrom(client: Client, body?: unknown): Promise<string> {
  const answer = await client.post('/token', body);
  expect([answer.status, answer.header('cache-control')]).toEqual([200, 'no-store']);
  const { token, expires_in: lifetime } = answer.json<{ token: string; expires_in: number }>();
  expect(lifetime).toBe(FIVE_HOURS);
  return token;
}

/** A registered user with a token. */
async function newUser(
  client: Client,
): Promise<{ readonly email: string; readonly id: string; readonly token: string }> {
  const email = newEmail();
  const { id } = (await register(client, email)).json<{ id: string }>();
  return { email, id, token: await tokenFrom(client, { correo: email, clave: PASSWORD }) };
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

describe('registration', () => {
  const app = useSharedApp();

  it.each([
    ['correo', 'clave'],
    ['email', 'password'],
    ['email', 'contrasena'],
  ])('given %s and %s, registers the user', async (email, password) => {
    const correo = newEmail();
    const answer = await app.client.post(REGISTER, { [email]: correo, [password]: PASSWORD });
    expect([answer.status, answer.json()]).toEqual([
      200,
      { message: 'registered', id: expect.stringMatching(UUID), correo },
    ]);
  });

  it('given an e-mail that is registered, also in capitals, answers 400 and keeps the first password', async () => {
    const email = newEmail();
    await register(app.client, email);
    for (const again of [email, email.toUpperCase()]) {
      expect((await register(app.client, again, 'another')).problem(400, 'correo').code).toBe('exists');
    }
    await tokenFrom(app.client, { correo: email, clave: PASSWORD });
  });

  it.each([
    [{}, ['correo', 'clave']],
    [{ correo: 'no e-mail', clave: 'p' }, ['correo']],
    [{ correo: 'a@b', clave: '' }, ['clave']],
    [{ correo: 'a@b', clave: 'x'.repeat(129) }, ['clave']],
    [{ correo: 'a@b', clave: 'p', role: 'admin' }, ['role']],
    [{ correo: 'a@b', email: 'a@b', clave: 'p' }, ['email']],
  ])('given the body %j, answers 400 and names %j', async (body, fields) => {
    (await app.client.post(REGISTER, body)).problem(400, ...fields);
  });

  it('given a token for registering, or none, registers; given one that is not valid, answers 400', async () => {
    const token = await tokenFrom(app.client);
    for (const headers of [bearer(token), { authorization: token }, {}]) {
      expect((await app.client.with(headers).post(REGISTER, { correo: newEmail(), clave: 'p' })).status).toBe(200);
    }
    const refused = await app.client.with(bearer(`${token}x`)).post(REGISTER, { correo: newEmail(), clave: 'p' });
    refused.problem(400, 'Authorization');
  });

  it('given a repeated Idempotency-Key, registers once and gives the same answer, without password or hash', async () => {
    const body = { correo: newEmail(), clave: PASSWORD };
    const headers = { 'idempotency-key': newKey() };
    const [first, again] = [
      await app.client.post(REGISTER, body, headers),
      await app.client.post(REGISTER, body, headers),
    ];
    expect([again.status, again.text, again.header('idempotency-replayed')]).toEqual([200, first.text, 'true']);
    (await app.client.post(REGISTER, { ...body, clave: 'another' }, headers)).problem(422);
    const operation = await app.client.get(`/operations/${first.header('x-operation-id')}`);
    expect(operation.json()).toMatchObject({ state: 'committed', answer: { status: 200, body: first.json() } });
  });

  it('given 1,000 registrations of one e-mail at once, registers one and answers the others 400', async () => {
    const email = newEmail();
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => register(app.client, email)));
    const ofStatus = (status: number): number => answers.filter((answer) => answer.status === status).length;
    expect([ofStatus(200), ofStatus(400)]).toEqual([1, 999]);
  });

  it('says whether an e-mail can be registered', async () => {
    const { email } = await newUser(app.client);
    const ask = async (body: unknown): Promise<unknown> => (await app.client.post(CHECK_USER, body)).json();
    expect(await ask({ correo: email })).toEqual({ can_register: false, message: expect.stringMatching(/./) });
    expect(await ask({ email: newEmail() })).toEqual({ can_register: true, message: expect.stringMatching(/./) });
    (await app.client.post(CHECK_USER, { correo: 'x' })).problem(400, 'correo');
    (await app.client.post(CHECK_USER)).problem(400, 'correo');
  });

  it('finds a user by e-mail, or an empty object', async () => {
    const { email, id } = await newUser(app.client);
    const find = (query: string): Promise<Answer> => app.client.get(`/users${query}`);
    expect((await find(`?correo=${encodeURIComponent(email)}`)).json()).toEqual({ id, correo: email });
    expect((await find(`?correo=${newEmail()}`)).text).toBe('{}');
    for (const query of ['', '?correo=', '?correo=a@b&correo=a@b']) (await find(query)).problem(400, 'correo');
    (await find('?mail=a@b')).problem(400, 'mail');
  });

  it('shows one user and the list to users alone, without passwords', async () => {
    const { email, id, token } = await newUser(app.client);
    for (const authorization of ['', 'Bearer', 'Bearer x', `Bearer ${await tokenFrom(app.client)}`]) {
      for (const path of [`${CHECK}/${email}`, LIST]) (await app.client.get(path, { authorization })).problem(401);
    }
    const user = app.client.with(bearer(token));
    expect((await user.get(`${CHECK}/${email}`)).json()).toEqual({ id, correo: email });
    expect((await user.get(`${CHECK}/${encodeURIComponent(email)}`)).status).toBe(200);
    (await user.get(`${CHECK}/${newEmail()}`)).problem(404);
    (await user.get(`${CHECK}/x`)).problem(400, 'correo');

    const page = await user.get(`${LIST}?limit=1`);
    expect(page.json<object[]>().map((one) => Object.keys(one))).toEqual([['id', 'correo']]);
    const [, next = ''] = /<([^>]+)>; rel="next"/.exec(page.header('link')) ?? [];
    const rest = await user.get(next.replace('limit=1', 'limit=1000'));
    expect(rest.json<unknown[]>()).toHaveLength(Number(page.header('x-total-count')) - 1);
    expect(rest.json()).toContainEqual({ id, correo: email });
  });

  it('given a token with or without Bearer, says that it is valid; given another, or none, answers 401', async () => {
    const { token } = await newUser(app.client);
    for (const authorization of [token, `Bearer ${token}`, `bearer ${token}`]) {
      expect((await app.client.get('/token', { authorization })).text).toBe('{"valido":true}');
    }
    for (const authorization of ['', 'x', `Bearer ${token}x`, `Basic ${token}`]) {
      (await app.client.get('/token', { authorization })).problem(401);
    }
  });

  it('given a wrong password or an unknown e-mail, answers 401 alike, and 429 after ten attempts', async () => {
    const { email } = await newUser(app.client);
    for (const correo of [email, newEmail()]) {
      const attempt = (): Promise<Answer> => app.client.post('/token', { correo, clave: 'wrong' });
      const answers = await Promise.all(Array.from({ length: 11 }, attempt));
      expect(answers.map(({ status }) => status).sort()).toEqual([...Array<number>(10).fill(401), 429]);
      expect(answers.find(({ status }) => status === 401)?.json()['detail']).toBe(
        'the e-mail or the password is wrong',
      );
      expect((await attempt()).problem(429).code).toBe('too-many-logins');
    }
    (await app.client.post('/token', { correo: email })).problem(400, 'clave');
  });

  it.each([
    ['GET', REGISTER, 'POST'],
    ['DELETE', '/token', 'GET, HEAD, POST'],
    ['POST', '/users', 'GET, HEAD'],
  ])('given %s %s, answers 405 with the methods that are served', async (method, path, allowed) => {
    const answer = await app.client.send(method, path);
    answer.problem(405);
    expect(answer.header('allow')).toBe(allowed);
  });

  it('quotes no part of a body that is not JSON', async () => {
    const answer = await app.client.send('POST', REGISTER, {
      headers: { 'content-type': 'application/json' },
      body: `{"correo": "a@b", "clave": ${PASSWORD}}`,
    });
    expect(answer.problem(400).code).toBe('malformed-json');
    expect(answer.text).not.toContain(PASSWORD.slice(0, 5));
  });
});

describe('registration with API keys', () => {
  const keys = { reader: 'r'.repeat(16), writer: 'w'.repeat(16) };
  const app = useSharedApp({ API_KEYS: `r:read:${keys.reader},w:write:${keys.writer}` });

  it('takes the API key as X-Api-Key alone, and the token as Authorization', async () => {
    const writer = app.client.with({ 'x-api-key': keys.writer });
    const reader = app.client.with({ 'x-api-key': keys.reader });
    const { email, token } = await newUser(writer);
    expect((await reader.get(`${CHECK}/${email}`, bearer(token))).status).toBe(200);
    expect((await reader.post(CHECK_USER, { correo: email })).status).toBe(200);
    (await register(reader, newEmail())).problem(403);
    (await register(app.client.with(bearer(keys.writer)), newEmail())).problem(401);
    (await app.client.get(`${CHECK}/${email}`, bearer(token))).problem(401);
    (await reader.get(`${CHECK}/${email}`)).problem(401);
  });
});

describe('a restart', () => {
  const directory = temporaryDirectory();
  let process: AppProcess;
  beforeAll(async () => {
    process = await AppProcess.start(directory);
  });
  afterAll(async () => {
    await process.stop();
    removeDirectory(directory);
  });
  const keysFile = join(directory, 'token-keys.json');
  const client = (): Client => new Client(process.url);
  const isValid = async (token: string): Promise<boolean> =>
    (await client().get('/token', bearer(token))).status === 200;

  it('after kill -9, keeps users and tokens', async () => {
    const { email, token } = await newUser(client());
    await process.kill();
    process = await AppProcess.start(directory);
    expect(await isValid(token)).toBe(true);
    (await register(client(), email)).problem(400, 'correo');
    await tokenFrom(client(), { correo: email, clave: PASSWORD });
  });

  it('once the key has grown old, signs with a new one and accepts tokens of the former one', async () => {
    const { token } = await newUser(client());
    await process.stop();
    const kept = JSON.parse(readFileSync(keysFile, 'utf8')) as { keys: { madeAtMs: number }[] };
    expect([kept.keys.length, statSync(keysFile).mode & 0o777]).toEqual([1, 0o600]);
    kept.keys[0]!.madeAtMs -= DAY_MS;
    writeFileSync(keysFile, JSON.stringify(kept));
    process = await AppProcess.start(directory, { TOKEN_KEY_DAYS: '1' });
    const renewed = await tokenFrom(client());
    const header = (of: string): unknown => JSON.parse(Buffer.from(of.split('.')[0] ?? '', 'base64url').toString());
    expect(header(renewed)).not.toEqual(header(token));
    expect([await isValid(token), await isValid(renewed)]).toEqual([true, true]);
  });

  it('writes no password and no hash to logs, metrics, records or other files than the table of users', async () => {
    const { email, token } = await newUser(client());
    await register(client(), email, 'wrong and not shown');
    await client().post('/token', { correo: email, clave: 'wrong and not shown' });
    const shown = [
      (await client().get('/metrics')).text,
      (await client().get(LIST, bearer(token))).text,
      process.printed,
    ];
    await process.stop();
    const database = new BetterSqlite3(join(directory, 'registration.db'), { readonly: true });
    const records = JSON.stringify(database.prepare('SELECT * FROM operations').all());
    const hashes = database.prepare<[], string>('SELECT password_hash FROM registered_users').pluck().all();
    database.close();
    process = await AppProcess.start(directory);
    expect([hashes.length > 0, new Set(hashes).size]).toEqual([true, hashes.length]);
    for (const secret of [PASSWORD, 'wrong and not shown', '$argon2', ...hashes]) {
      for (const text of [...shown, records]) expect(text).not.toContain(secret);
    }
  });
});
