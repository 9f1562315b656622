import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../../kernel/index.js';
import { CLUSTER_HEADER } from '../../../platform/http/index.js';
import type { NodeAnswer, NodeCall } from '../../../platform/node-client/index.js';
import { ActiveApp, type ActiveAppOptions } from './active-app.js';

const CALL: NodeCall = { method: 'POST', path: '/books', isRepeatable: true, headers: { [CLUSTER_HEADER]: 'proof' } };
const HUNG_MS = 2_000;
const TIMEOUT_MS = 3_000;

/** Hosts by URL: a status that it answers, or `hung` or `refused`. */
function worldOf(
  hosts: Record<string, number | 'hung' | 'refused'>,
  urls: ActiveAppOptions['urls'] = () => Object.keys(hosts),
) {
  let nowMs = 0;
  const asked: string[] = [];
  const call = (url: string, _call: NodeCall, timeoutMs: number): Promise<NodeAnswer> => {
    asked.push(url);
    const host = hosts[url] ?? 'refused';
    if (typeof host === 'number') return Promise.resolve({ status: host, headers: {}, body: Buffer.alloc(0) });
    if (host === 'hung') nowMs += Math.min(HUNG_MS, timeoutMs);
    return Promise.reject(new AppError('not-ready', host, { retry: 'safe' }));
  };
  const app = new ActiveApp({ client: { call }, urls, nowhere: 'no app runs here', nowMs: () => nowMs });
  const outcome = (given = CALL): Promise<unknown> =>
    app.call(given, TIMEOUT_MS).then(
      ({ status }) => status,
      (error: unknown) => error,
    );
  return { asked, outcome, nowMs: () => nowMs, hosts };
}

describe('a process that forwards to the app', () => {
  it('asks nothing while no address is known, and says why', async () => {
    const { outcome, asked } = worldOf({ 'http://127.0.0.1:5050': 201 }, () => []);
    expect(await outcome()).toMatchObject({ code: 'not-ready', retry: 'safe', message: 'no app runs here' });
    expect(asked).toEqual([]);
  });

  it('asks an address that answered only while it is still named', async () => {
    let named = ['http://a'];
    const { outcome, asked } = worldOf({ 'http://a': 201, 'http://b': 200 }, () => named);
    expect(await outcome()).toBe(201);
    named = ['http://b'];
    expect(await outcome()).toBe(200);
    named = [];
    expect(await outcome()).toMatchObject({ code: 'not-ready' });
    expect(asked).toEqual(['http://a', 'http://b']);
  });

  it('takes an app of another installation for one that was not reached', async () => {
    const { outcome, asked, hosts } = worldOf({ 'http://other': 421, 'http://own': 201 });
    expect([await outcome(), await outcome()]).toEqual([201, 201]);
    expect(asked).toEqual(['http://other', 'http://own', 'http://own']);
    hosts['http://own'] = 'refused';
    expect(await outcome()).toMatchObject({ code: 'not-ready', retry: 'safe' });
  });

  it('sends nothing while it cannot prove its installation', async () => {
    const { outcome, asked } = worldOf({ 'http://a': 201 });
    expect(await outcome({ ...CALL, headers: {} })).toMatchObject({ code: 'not-ready', retry: 'safe' });
    expect(asked).toEqual([]);
  });

  it('waits for hung hosts no longer than its deadline, and begins with the next one at the next request', async () => {
    const world = worldOf({ 'http://a': 'hung', 'http://b': 'hung', 'http://c': 'hung', 'http://d': 201 });
    expect(await world.outcome()).toMatchObject({ code: 'not-ready', retry: 'safe' });
    expect([world.nowMs(), world.asked]).toEqual([TIMEOUT_MS, ['http://a', 'http://b']]);
    expect(await world.outcome()).toBe(201);
    expect(await world.outcome()).toBe(201);
    expect(world.asked.slice(2)).toEqual(['http://c', 'http://d', 'http://d']);
  });
});
