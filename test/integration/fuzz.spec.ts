import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from '../e2e/support/client.js';
import { type Endpoint, endpointsOf, fetchOpenApi, type OpenApi } from '../e2e/support/openapi.js';
import { judge } from '../fuzz/fuzz-judge.js';
import { fuzzRequest } from '../fuzz/fuzz-requests.js';
import { FuzzTarget } from '../fuzz/fuzz-target.js';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { rounds } from '../support/long-form.js';

/** `npm run fuzz` sets them. A failure names its number: `npm run fuzz -- --seed <seed> --from <number> --requests 1`. */
const { FUZZ_SEED = '1', FUZZ_FROM = '0', FUZZ_REQUESTS = String(rounds(2_000, 5_000)) } = process.env;
const SEED = Number(FUZZ_SEED);
const FROM = Number(FUZZ_FROM);
const REQUESTS = Number(FUZZ_REQUESTS);

const AT_ONCE = 16;
const FAULTS_SHOWN = 20;
const SETTLED_WITHIN_MS = 60_000;
/** Logs and segments of the journal come and go, and a replica keeps connections to the app: one for each asker, and some. */
const DESCRIPTORS_MORE = 2 * AT_ONCE;
/** What was stored and remembered, and what the collector has not taken yet; the old generation is bounded as well. */
const RESIDENT_MORE_BYTES = 400 * 1024 * 1024;
const LEAKS_END_IT = { NODE_OPTIONS: '--max-old-space-size=256' };
const TIMEOUT_MS = 120_000 + REQUESTS * 60;

describe('requests generated from the API document', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.prepare({ ...LEAKS_END_IT, SEED: 'on', READ_WAIT_MS: '20' }, 2);
    await cluster.startApp();
    await cluster.settled();
  });

  afterAll(() => cluster.end());

  const processes = [
    ['the app', 0, () => [cluster.app.url, cluster.app.pid]],
    ['a replica', 1, () => [cluster.replicas[0]!.url, cluster.replicas[0]!.pid]],
  ] as const;

  it.each(processes)(
    'valid, odd and wrong, to %s, get only documented answers and leave nothing open',
    async (_, half, where) => {
      const [url, pid] = where();
      const target = new FuzzTarget(url as string, pid as number);
      const document: OpenApi = await fetchOpenApi(new Client(url as string));
      const endpoints: Endpoint[] = endpointsOf(document);
      const before = { descriptors: target.descriptors(), bytes: await target.residentBytes() };
      const faults: string[] = [];
      const statuses = new Map<number, number>();
      let next = FROM + half;
      const asker = async (): Promise<void> => {
        while (next < FROM + REQUESTS && faults.length < FAULTS_SHOWN) {
          const number = next;
          next += 2;
          const request = fuzzRequest(document, endpoints, SEED, number);
          const answer = await target.send(request);
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
          const fault = judge(request, answer);
          if (fault === undefined) continue;
          const { endpoint, body, ...line } = request;
          const shown = `${JSON.stringify(line).slice(0, 600)} ${JSON.stringify(body)?.slice(0, 300) ?? ''}`;
          const of = `${endpoint.method} ${endpoint.path}`;
          faults.push(
            `${String(SEED)}/${String(number)} ${of}: ${fault}: ${String(answer.status)} ${answer.text.slice(0, 200)} to ${shown}`,
          );
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, asker));

      expect(faults).toEqual([]);
      await eventually(async () => expect(await target.writesUnderWay()).toBe(0), { withinMs: SETTLED_WITHIN_MS });
      const after = await target.residentBytes();
      target.close();
      await eventually(() => expect(target.descriptors()).toBeLessThanOrEqual(before.descriptors + DESCRIPTORS_MORE), {
        withinMs: SETTLED_WITHIN_MS,
      });
      expect(after).toBeLessThan(before.bytes + RESIDENT_MORE_BYTES);
      expect([cluster.app.hasExited, cluster.replicas.every(({ isRunning }) => isRunning)]).toEqual([false, true]);
      // A fuzz that is only ever refused looks at little.
      const done = [...statuses].filter(([status]) => status < 300).reduce((sum, [, count]) => sum + count, 0);
      if (REQUESTS >= 1_000) expect(done).toBeGreaterThan(REQUESTS / 8);
    },
    TIMEOUT_MS,
  );
});
