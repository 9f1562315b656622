import { beforeAll, describe, expect, it } from '@jest/globals';
import { useSharedReplica } from './support/shared-replica.js';

const replica = useSharedReplica({ READ_WAIT_MS: '100' });
const PATIENT = useSharedReplica({ READ_WAIT_MS: '30000' });

const NAMES = ['Ada', 'Grace', 'Edsger', 'Barbara', 'Leslie'];

beforeAll(async () => {
  for (const { primary } of [replica, PATIENT]) {
    NAMES.forEach((name, index) => primary.put(index + 1, name));
    await primary.ship();
  }
});

describe('a replica asked about itself', () => {
  it('given GET /, names its node, and every link in the answer works', async () => {
    const { port, url } = replica.process;
    const about = (await replica.client.get('/')).json<{ links: Record<string, string> }>();
    expect(about).toMatchObject({
      name: 'Bifolio replica',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      port,
      nodeId: url.replace('http://', ''),
    });
    for (const [name, link] of Object.entries(about.links)) {
      if (name === 'operations') continue;
      expect([link, (await replica.client.get(link)).status]).toEqual([link, 200]);
    }
  });

  it('given health checks, answers with its position', async () => {
    expect((await replica.client.get('/health/live')).json()).toMatchObject({ status: 'ok' });
    expect((await replica.client.get('/health/echo')).json()).toMatchObject({
      ...{ role: 'replica', state: 'open', epoch: null },
    });
    expect((await replica.client.get('/health/ready')).json()).toEqual({
      status: 'ok',
      details: {
        documents: { status: 'up', position: '1.6' },
        groups: { status: 'up', count: 0 },
        primary: { status: 'up' },
      },
    });
  });

  it('given GET /metrics, reports its position, the records it appended and the requests it answered', async () => {
    const { text } = await replica.client.get('/metrics');
    for (const line of ['replica_epoch 1', 'replica_seq 6', 'replica_lag_records 0', 'replica_set_asides_total 0']) {
      expect(text).toContain(`\n${line}\n`);
    }
    expect(text).toMatch(/^replica_appended_records_total 6$/m);
    expect(text).toMatch(/^replica_synchronized_total [1-9]\d*$/m);
    expect(text).toMatch(/^http_request_duration_seconds_count\{method="GET",route="\/"/m);
    expect(text).not.toContain('/replication/append');
  });

  it.each(['/nope', '/customers/1/more', '/replication/nope'])(
    'given %s, which no route serves, answers with a problem',
    async (path) => {
      expect((await replica.client.get(path)).problem(404).code).toBe('route-not-found');
    },
  );
});

describe('customers read from a replica', () => {
  it('given one id, are returned as on the app, with ETag and position', async () => {
    const read = await replica.client.get('/customers/2');
    expect(read.json()).toEqual({ id: 2, name: 'Grace', email: 'Grace@example.org', orders_count: 0 });
    expect([read.header('x-replica-seq'), read.header('etag')]).toEqual(['1.6', expect.stringMatching(/^"[\w-]+"$/)]);
    const again = await replica.client.get('/customers/2', { 'if-none-match': read.header('etag') });
    expect([again.status, again.header('x-replica-seq')]).toEqual([304, '1.6']);
    expect((await replica.client.get('/customers/2/')).json()).toEqual(read.json());
    expect((await replica.client.send('HEAD', '/customers/2')).status).toBe(200);
  });

  it('given If-Match, answers 412 when another version is current, and 200 when that version is', async () => {
    const etag = (await replica.client.get('/customers/2')).header('etag');
    (await replica.client.get('/customers/2', { 'if-match': '"x"' })).problem(412);
    expect((await replica.client.get('/customers/2', { 'if-match': etag })).status).toBe(200);
  });

  it('given the list, are returned in id order, page by page', async () => {
    const first = await replica.client.get('/customers?limit=2');
    expect(first.json<{ id: number }[]>().map(({ id }) => id)).toEqual([1, 2]);
    expect([first.header('x-total-count'), first.header('x-replica-seq')]).toEqual(['5', '1.6']);
    const [, next = ''] = /^<([^>]+)>; rel="next"$/.exec(first.header('link')) ?? [];
    expect((await replica.client.get(next)).json<{ id: number }[]>().map(({ id }) => id)).toEqual([3, 4]);
    const last = await replica.client.get('/customers?limit=2&after=4');
    expect([last.json<unknown[]>().length, last.hasHeader('link')]).toEqual([1, false]);
  });

  it.each([
    ['/customers/99', 404, 'not-found', []],
    ['/customers/abc', 400, 'malformed-id', ['id']],
    ['/customers/0', 400, 'malformed-id', ['id']],
    ['/customers?limit=0', 400, 'validation-failed', ['limit']],
    ['/customers?limit=1001', 400, 'validation-failed', ['limit']],
    ['/customers?after=-1', 400, 'validation-failed', ['after']],
    ['/customers?min_seq=7', 400, 'validation-failed', ['min_seq']],
    ['/customers?min_seq=1.x', 400, 'validation-failed', ['min_seq']],
    ['/customers?min_seq=', 400, 'validation-failed', ['min_seq']],
    ['/customers?min_seq=1.1&min_seq=1.2', 400, 'validation-failed', ['min_seq']],
    ['/customers/1?min_seq=-1.2', 400, 'validation-failed', ['min_seq']],
    [`/customers/${'1'.repeat(1_000)}`, 400, 'malformed-id', ['id']],
  ] as const)('given %s, are answered %d', async (path, status, code, fields) => {
    expect((await replica.client.get(path)).problem(status, ...fields).code).toBe(code);
  });
});

describe('a read with min_seq on a replica', () => {
  it('given a write that the replica holds, is answered at once', async () => {
    const read = await replica.client.get('/customers/1?min_seq=1.6');
    expect([read.status, read.header('x-replica-seq')]).toEqual([200, '1.6']);
  });

  it('given a write that does not arrive in time, is answered 503 and never with older data', async () => {
    for (const path of ['/customers/1?min_seq=1.7', '/customers?min_seq=2.1']) {
      expect((await replica.client.get(path)).problem(503)).toMatchObject({
        code: 'not-ready',
        detail: /min_seq|reach/,
      });
    }
  });

  it('given a write that is on its way, waits for it and then returns it', async () => {
    const { primary, client } = PATIENT;
    const written = primary.put(1, 'Augusta');
    const reading = client.get(`/customers/1?min_seq=${primary.commit}`);
    await primary.ship(written.seq - 1);
    expect((await reading).json()).toMatchObject({ name: 'Augusta' });
  });
});
