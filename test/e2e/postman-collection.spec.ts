import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { Client } from './support/client.js';
import { endpointsOf, fetchOpenApi } from './support/openapi.js';
import { useSharedApp } from './support/shared-app.js';
import { useSharedReplica } from './support/shared-replica.js';

interface Request {
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly header: readonly { readonly key: string }[];
    readonly url: { readonly raw: string };
    readonly description: string;
  };
  readonly event: readonly { readonly listen: string; readonly script: { readonly exec: readonly string[] } }[];
}

interface Collection {
  readonly info: { readonly schema: string };
  readonly item: readonly { readonly name: string; readonly item: readonly Request[] }[];
  readonly variable: readonly { readonly key: string }[];
}

const collection = JSON.parse(readFileSync('postman-collection/bifolio.postman_collection.json', 'utf8')) as Collection;
const requests = collection.item.flatMap(({ item }) => item);

const testsOf = ({ event }: Request): string =>
  event.flatMap(({ listen, script }) => (listen === 'test' ? script.exec : [])).join('\n');
const pathOf = ({ request }: Request): string => request.url.raw.replace(/^\{\{\w+\}\}|\?.*$/g, '');
const isFor = ({ request }: Request, variable: string): boolean => request.url.raw.startsWith(`{{${variable}}}/`);

/** The collection has one path that nothing serves, to show what that is answered. */
const served = requests.filter((request) => !testsOf(request).includes('route-not-found'));

describe('the Postman collection', () => {
  const app = useSharedApp();
  const replica = useSharedReplica();

  it.each([
    ['baseUrl', 'the app', (): Client => app.client],
    ['replicaUrl', 'a replica', (): Client => replica.client],
  ])('calls, at {{%s}}, every endpoint of the API document of %s and no other', async (variable, _who, at) => {
    const endpoints = endpointsOf(await fetchOpenApi(at())).map(({ method, path }) => ({
      title: `${method} ${path}`,
      method,
      pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    }));
    const asked = served
      .filter((request) => isFor(request, variable))
      .map((request) => {
        const isAsked = ({ method, pattern }: (typeof endpoints)[number]): boolean =>
          method === request.request.method && pattern.test(pathOf(request));
        return endpoints.find(isAsked)?.title ?? `not in the document: ${request.request.method} ${pathOf(request)}`;
      });
    expect([...new Set(asked)].sort()).toEqual(endpoints.map(({ title }) => title).sort());
  });

  it('calls only the app and replicas, and only documented paths except one', () => {
    expect(requests.filter((request) => !isFor(request, 'baseUrl') && !isFor(request, 'replicaUrl'))).toEqual([]);
    expect(requests.length - served.length).toBe(1);
    expect(collection.variable.map(({ key }) => key)).toEqual(['baseUrl', 'replicaUrl', 'apiKey']);
  });

  it('is of version 2.1 and has the expected folders', () => {
    expect(collection.info.schema).toContain('/v2.1.0/');
    const names = collection.item.map(({ name }) => name);
    expect(names).toEqual([
      ...[
        'About',
        'Books',
        'Customers',
        'Write concern',
        'Two-phase commit',
        'Transactions',
        'Users',
        'Stock',
        'Payment',
        'Buy a book',
        'Registration',
      ],
      ...['Replicas', 'Groups on a node', 'Replication', 'Idempotency', 'Concurrency (ETag)', 'Errors'],
    ]);
  });

  it('describes and tests every request', () => {
    const lacking = requests.filter(
      (request) => request.request.description === '' || !testsOf(request).includes('pm.test('),
    );
    expect(lacking.map(({ name }) => name)).toEqual([]);
    expect(new Set(requests.map(({ name }) => name)).size).toBe(requests.length);
  });

  it('deletes all books and customers that it creates', () => {
    const made = requests.filter(
      (request) => request.request.method === 'POST' && testsOf(request).includes('have.status(201)'),
    );
    const kept = made.flatMap((request) => [
      ...testsOf(request).matchAll(/set\('(\w+Id)', pm.response.json\(\).id\)/g),
    ]);
    const removed = requests.filter(({ request }) => request.method === 'DELETE').map((request) => pathOf(request));
    expect(kept.length).toBeGreaterThan(8);
    for (const [, variable = ''] of kept) expect(removed.join(' ')).toContain(`{{${variable}}}`);
  });

  it('deletes the group that it creates, and never all groups of a node', () => {
    const changes = requests.filter(
      ({ request }) => request.method !== 'GET' && /\/v1\/groups?$/.test(request.url.raw),
    );
    const clears = changes.filter(({ request }) => request.url.raw.endsWith('/v1/groups'));
    expect(clears.map(({ request }) => request.header.map(({ key }) => key))).toEqual([['X-Undo']]);
    const kept = changes.findLast(
      (request) => /have\.status\(20[01]\)/.test(testsOf(request)) && !clears.includes(request),
    );
    expect([kept?.request.method, kept?.request.header.some(({ key }) => key === 'X-Undo')]).toEqual(['DELETE', false]);
  });
});
