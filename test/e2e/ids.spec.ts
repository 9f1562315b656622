import { describe, expect, it } from '@jest/globals';
import type { Client } from './support/client.js';
import { useSharedApp } from './support/shared-app.js';

const UUID_V7 = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

const one = useSharedApp();
const other = useSharedApp();

async function nextId(client: Client): Promise<string> {
  const answer = await client.get('/ids/create');
  expect(answer.status).toBe(200);
  return answer.text;
}

describe('GET /ids/create', () => {
  it('returns an id as plain text that must not be cached', async () => {
    const answer = await one.client.get('/ids/create');
    expect([answer.status, answer.header('content-type')]).toEqual([200, 'text/plain; charset=utf-8']);
    expect([answer.text, answer.header('cache-control')]).toEqual([expect.stringMatching(UUID_V7), 'no-store']);
  });

  it('given repeated requests, returns rising ids', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 200; count += 1) ids.push(await nextId(one.client));
    expect(ids).toEqual([...new Set(ids)].sort());
  });

  it('given many requests at once to two processes, returns no id twice', async () => {
    const asked = Array.from({ length: 300 }, (_, index) => nextId(index % 2 === 0 ? one.client : other.client));
    const ids = await Promise.all(asked);
    expect(new Set(ids).size).toBe(300);
  });

  it('given POST, answers 404', async () => {
    expect((await one.client.post('/ids/create')).problem(405).code).toBe('method-not-allowed');
  });
});
