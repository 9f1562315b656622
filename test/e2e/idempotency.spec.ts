import { describe, expect, it } from '@jest/globals';
import { type Answer, newKey } from './support/client.js';
import { sendBytes, sendBytesAndHangUp } from './support/raw-socket.js';
import { RESOURCES } from './support/resources.js';
import { useSharedApp } from './support/shared-app.js';

const app = useSharedApp();

/** What must be the same in an answer and its replay. */
function essence(answer: Answer): readonly unknown[] {
  const headers = ['location', 'etag', 'x-operation-id', 'x-commit', 'x-replicas-acked', 'content-type'];
  return [answer.status, answer.text, ...headers.map((name) => `${name}: ${answer.header(name)}`)];
}

function expectReplay(replay: Answer, first: Answer): void {
  expect(essence(replay)).toEqual(essence(first));
  expect([first.header('idempotency-replayed'), replay.header('idempotency-replayed')]).toEqual(['', 'true']);
}

describe.each(RESOURCES)('an Idempotency-Key on a $name', ({ path, input, changed }) => {
  const count = async (): Promise<number> => Number((await app.client.get(`${path}?limit=1`)).header('x-total-count'));

  it('given a repeated POST, creates once and replays the answer', async () => {
    const key = { 'idempotency-key': newKey() };
    const before = await count();
    const first = await app.client.post(path, input, key);
    expect(first.status).toBe(201);
    expectReplay(await app.client.post(path, input, key), first);
    expect(await count()).toBe(before + 1);
  });

  it('given a repeated PUT, replaces once and replays the answer even after another change', async () => {
    const at = await app.client.add(path, input);
    const key = { 'idempotency-key': newKey() };
    const first = await app.client.put(at, changed, key);
    const other = await app.client.put(at, input);
    expectReplay(await app.client.put(at, changed, key), first);
    expect((await app.client.get(at)).text).toBe(other.text);
  });

  it('given a repeated DELETE, answers 204 again', async () => {
    const at = await app.client.add(path, input);
    const key = { 'idempotency-key': newKey() };
    const first = await app.client.delete(at, key);
    expect(first.status).toBe(204);
    expectReplay(await app.client.delete(at, key), first);
  });

  it('given a repeat whose If-Match is stale by now, replays the first answer', async () => {
    const created = await app.client.post(path, input);
    const at = created.header('location');
    const headers = { 'idempotency-key': newKey(), 'if-match': created.header('etag') };
    const first = await app.client.put(at, changed, headers);
    expect(first.status).toBe(200);
    expectReplay(await app.client.put(at, changed, headers), first);
  });

  it('given a repeated PUT to a resource that was deleted since, replays the first answer', async () => {
    const at = await app.client.add(path, input);
    const key = { 'idempotency-key': newKey() };
    const first = await app.client.put(at, changed, key);
    await app.client.delete(at);
    expectReplay(await app.client.put(at, changed, key), first);
  });

  it('given another body, valid or not, is answered 422', async () => {
    const key = { 'idempotency-key': newKey() };
    const first = await app.client.post(path, input, key);
    for (const body of [changed, { ...input, x: 1 }, {}]) {
      expect((await app.client.post(path, body, key)).problem(422).code).toBe('idempotency-key-reused');
    }
    (await app.client.send('POST', path, { headers: key })).problem(422);
    expectReplay(await app.client.post(path, input, key), first);
  });

  it('given the same fields in other bytes, is answered 422', async () => {
    const headers = { 'idempotency-key': newKey(), 'content-type': 'application/json' };
    await app.client.send('POST', path, { headers, body: JSON.stringify(input) });
    (await app.client.send('POST', path, { headers, body: JSON.stringify(input, null, 1) })).problem(422);
  });

  it('given another method or path, counts as a different key', async () => {
    const key = { 'idempotency-key': newKey() };
    const first = await app.client.post(path, input, key);
    const second = await app.client.add(path, input);
    const answers = [
      await app.client.put(first.header('location'), changed, key),
      await app.client.put(second, changed, key),
      await app.client.delete(first.header('location'), key),
      await app.client.delete(second, key),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 204, 204]);
    expect(answers.map((answer) => answer.header('idempotency-replayed'))).toEqual(['', '', '', '']);
  });

  it('given a trailing slash or a query, counts as the same key', async () => {
    const key = { 'idempotency-key': newKey() };
    const first = await app.client.post(path, input, key);
    expectReplay(await app.client.post(`${path}/`, input, key), first);
    expectReplay(await app.client.post(`${path}?limit=1`, input, key), first);
  });

  it('given another spelling of the same target, takes effect once', async () => {
    const at = await app.client.add(path, input);
    const key = { 'idempotency-key': newKey() };
    const first = await app.client.put(at, changed, key);
    const other = await app.client.put(at, input);
    const encoded = at.replace(/\d/g, (digit) => `%3${digit}`);
    const escaped = at.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
    for (const spelling of [encoded, `${encoded}/`, escaped, `${escaped}/`]) {
      expectReplay(await app.client.put(spelling, changed, key), first);
    }
    const body = JSON.stringify(changed);
    const head = `PUT http://127.0.0.1${at} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json`;
    const absolute = `${head}\r\nIdempotency-Key: ${key['idempotency-key']}\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`;
    expect(await sendBytes(app.process.url, absolute)).toMatch(/^HTTP\/1.1 200 [^]*idempotency-replayed: true/i);
    expect((await app.client.get(at)).text).toBe(other.text);
  });

  it('given fifty clients at once, creates exactly one and gives all of them the same answer', async () => {
    const key = { 'idempotency-key': newKey() };
    const before = await count();
    const answers = await Promise.all(Array.from({ length: 50 }, () => app.client.post(path, input, key)));
    expect(new Set(answers.map((answer) => JSON.stringify(essence(answer)))).size).toBe(1);
    expect(answers.filter((answer) => !answer.hasHeader('idempotency-replayed'))).toHaveLength(1);
    expect([answers[0]?.status, await count()]).toEqual([201, before + 1]);
  });

  it('given ten different bodies at once, lets one take effect and refuses the others', async () => {
    const key = { 'idempotency-key': newKey() };
    const before = await count();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        app.client.post(path, { ...input, [Object.keys(input)[0]!]: `body ${String(n)}` }, key),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(9).fill(422)]);
    expect(await count()).toBe(before + 1);
  });

  it('given a first sender that hung up, gives the next sender the answer, and one resource exists', async () => {
    const before = await count();
    const key = newKey();
    const body = JSON.stringify(input);
    const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: ${key}`;
    await sendBytesAndHangUp(app.process.url, `${head}\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`);
    const second = await app.client.post(path, input, { 'idempotency-key': key });
    expect(second.status).toBe(201);
    expectReplayOrFirst(await app.client.post(path, input, { 'idempotency-key': key }), second);
    expect(await count()).toBe(before + 1);
  });

  it('given a refused first request, is free for a valid one', async () => {
    const key = { 'idempotency-key': newKey() };
    (await app.client.post(path, {}, key)).problem(400);
    (await app.client.post(path, { ...input, x: 1 }, key)).problem(400);
    (await app.client.send('POST', path, { headers: key, body: 'x' })).problem(415);
    const first = await app.client.post(path, input, key);
    expect(first.status).toBe(201);

    const at = first.header('location');
    (await app.client.put(at, changed, { ...key, 'if-match': '"stale"' })).problem(412);
    expect((await app.client.put(at, changed, key)).status).toBe(200);

    const next = `${path}/${String(Number(at.slice(path.length + 1)) + 1)}`;
    (await app.client.delete(next, key)).problem(404);
    expect(await app.client.add(path, input)).toBe(next);
    expect((await app.client.delete(next, key)).status).toBe(204);
  });

  it.each([
    ['none at all', ''],
    ['256 characters', 'x'.repeat(256)],
    ['a tab', 'a\tb'],
    ['a letter beyond ASCII', 'schlüssel'],
  ])('given as %s, is refused by name', async (_title, key) => {
    const before = await count();
    (await app.client.post(path, input, { 'idempotency-key': key })).problem(400, 'Idempotency-Key');
    expect(await count()).toBe(before);
  });

  it.each(['x', '~!"#$%&()*+,-./:;<=>?@[]^_`{|}', '\\', '\\"\\\\', 'x'.repeat(230)])(
    'of %j, is a key',
    async (ending) => {
      const key = { 'idempotency-key': (newKey().slice(0, 24) + ending).slice(0, 255) };
      const first = await app.client.post(path, input, key);
      expectReplay(await app.client.post(path, input, key), first);
    },
  );

  it('given a read, changes nothing', async () => {
    const at = await app.client.add(path, input);
    const key = { 'idempotency-key': newKey() };
    const read = await app.client.get(at, key);
    await app.client.put(at, changed);
    expect((await app.client.get(at, key)).text).not.toBe(read.text);
  });
});

/** Either request may have been the one that took effect. */
function expectReplayOrFirst(replay: Answer, first: Answer): void {
  expect(essence(replay)).toEqual(essence(first));
  expect(replay.header('idempotency-replayed')).toBe('true');
}
