import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { replicationAuthorization } from '../../src/protocols/replication/index.js';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { Cluster, customersOn } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/ports.js';
import { ReplicaProcess } from '../support/replica-process.js';
import { runToEnd } from '../support/start-process.js';

const TEST_TIMEOUT_MS = 120_000;
const CUSTOMERS = 30;
const REASON = ['--reason', 'the disk was full of holes'];
const JSON_BODY = { 'content-type': 'application/json' };

/** The newest segment in a journal's directory. */
function newestIn(directory: string): string {
  const names = readdirSync(directory).filter((name) => name.endsWith('.log'));
  return join(directory, names.sort().at(-1) ?? '');
}

/** Cut behind the line in the middle of the newest segment, which is a whole record or batch line. */
function cutInHalf(directory: string): void {
  const bytes = readFileSync(newestIn(directory));
  truncateSync(newestIn(directory), bytes.lastIndexOf('\n', bytes.length / 2) + 1);
}

/** When the file beside it says that the journal went on to this record: it is written behind each batch. */
async function witnessed(journal: string, place: string): Promise<void> {
  const [epoch, seq] = place.split('.');
  await eventually(() => {
    expect(readFileSync(`${journal}.end`, 'utf8')).toContain(`"epoch":${epoch ?? ''},"seq":${seq ?? ''},`);
  });
}

/** Gives the place of the last one's record. */
async function createCustomers(url: string, count: number, headers = {}): Promise<string> {
  let place = '';
  for (let number = 1; number <= count; number += 1) {
    const body = JSON.stringify({ name: `Customer ${String(number)}`, email: 'customer@example.org' });
    const answer = await fetch(`${url}/customers`, { method: 'POST', headers: { ...JSON_BODY, ...headers }, body });
    expect(answer.status).toBe(201);
    place = answer.headers.get('x-commit') ?? '';
  }
  return place;
}

describe('an app without replicas', () => {
  let directory: string;
  let app: AppProcess;
  let last: string;

  beforeEach(async () => {
    directory = temporaryDirectory();
    app = await AppProcess.start(directory);
    last = await createCustomers(app.url, CUSTOMERS);
    await witnessed(documents(), last);
  });

  afterEach(async () => {
    await app.kill();
    removeDirectory(directory);
  });

  const documents = (): string => join(directory, 'documents');
  const start = async (): Promise<string> => {
    app = AppProcess.spawn(directory, { LOG_LEVEL: 'silent' });
    expect(await app.exited).toEqual({ code: 1, signal: null });
    return app.printed;
  };
  const accept = (...args: readonly string[]): ReturnType<typeof runToEnd> =>
    runToEnd('acceptLoss', directory, { REPLICA_PORTS: '', REPLICAS_DIR: join(directory, 'replicas'), args });

  const CUTS: readonly (readonly [string, () => void])[] = [
    ['was cut in half at a record', () => { cutInHalf(documents()); }], // prettier-ignore
    ['was cut to 0 bytes', () => { truncateSync(newestIn(documents()), 0); }], // prettier-ignore
    ['is gone', () => { rmSync(newestIn(documents())); }], // prettier-ignore
    ['is gone with its directory', () => { rmSync(documents(), { recursive: true }); }], // prettier-ignore
  ];

  it.each(CUTS)(
    'given a newest journal that %s after kill -9, refuses to start, naming file and positions, until the loss is accepted',
    async (_, cut) => {
      await app.kill();
      cut();

      const refusal = await start();
      expect(refusal).toMatch(
        /^recovery-needed: .*documents.* ends with record \d+\.\d+ \(byte \d+\), and it went on to record \d+\.\d+ \(byte \d+ of journal-0{15}1-\d+\.log\), as .*documents\.end says; nothing was changed: .*npm run data:accept-loss -- --reason "\.\.\."(?: \[[^\n]*\])?\n$/,
      );
      expect(refusal).toContain(`went on to record ${last} `);
      expect(await start()).toBe(refusal);
      const accepted = await accept(...REASON);
      expect(accepted.printed).toMatch(
        /^accepted: .*went on to record \d+\.\d+ .*\(the disk was full of holes\)\n.*stays lost/,
      );
      expect(accepted.printed).toContain(`went on to record ${last} `);
      expect(accepted.code).toBe(0);
      expect(readFileSync(join(directory, 'accepted-losses.log'), 'utf8')).toContain('the disk was full of holes');

      app = await AppProcess.start(directory);
      const left = await customersOn(app.url);
      expect(left.size).toBeLessThan(CUSTOMERS);
      await createCustomers(app.url, 2);
      await app.stop();
      expect((await accept(...REASON)).printed).toBe('Nothing to accept: no durable data is missing.\n');
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a newest journal that was cut after a clean stop, refuses to start, and starts when it is put back',
    async () => {
      await app.stop();
      const path = newestIn(documents());
      const whole = readFileSync(path);
      cutInHalf(documents());

      expect(await start()).toMatch(/^recovery-needed: /);
      writeFileSync(path, whole);
      app = await AppProcess.start(directory);
      expect((await customersOn(app.url)).size).toBe(CUSTOMERS);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a running app, accepting a loss changes nothing; without a reason nothing is accepted',
    async () => {
      expect(await accept(...REASON)).toEqual({
        code: 1,
        printed: expect.stringMatching(/^skipped: .*"npm stop"/),
      });
      expect(await accept('--reason', ' ')).toEqual({
        code: 1,
        printed: expect.stringMatching(/^validation-failed: /),
      });
      expect(await accept()).toEqual({
        code: 2,
        printed: expect.stringMatching(/^--reason is missing: .*data:accept-loss/),
      });
    },
    TEST_TIMEOUT_MS,
  );
});

describe('an app on four replicas', () => {
  let cluster: Cluster;

  beforeEach(async () => {
    cluster = await Cluster.start({ SNAPSHOT_EVERY_BYTES: '1000000' });
    await createCustomers(cluster.app.url, CUSTOMERS);
  }, TEST_TIMEOUT_MS);

  afterEach(async () => {
    await cluster.end();
  });

  it.each([
    ['cut in half at a record', cutInHalf],
    ['cut to 0 bytes', (documents: string) => { truncateSync(newestIn(documents), 0); }], // prettier-ignore
    ['removed', (documents: string) => { rmSync(newestIn(documents)); }], // prettier-ignore
  ])(
    'given a newest journal that was %s, fetches the missing records from the replicas and starts with every customer',
    async (_, cut) => {
      await cluster.app.kill();
      cut(join(cluster.dataDirectory, 'documents'));

      await cluster.startApp();
      await cluster.settled();
      expect((await customersOn(cluster.app.url)).size).toBe(CUSTOMERS);
      expect(await cluster.differences()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given lost customers that no replica has, refuses to start and names the missing records',
    async () => {
      for (const replica of cluster.replicas) replica.hold();
      await createCustomers(cluster.app.url, 5, { 'x-write-concern': 'primary' });
      await cluster.app.kill();
      cutInHalf(join(cluster.dataDirectory, 'documents'));
      // What was on its way in the connections may arrive still.
      for (const replica of cluster.replicas) await replica.kill();
      await cluster.revive().catch(() => undefined);

      expect(await cluster.app.exited).toEqual({ code: 1, signal: null });
      expect(cluster.app.printed).toMatch(/^recovery-needed: .*no replica holds the missing records.*/m);
      expect(cluster.app.printed).toContain('npm run data:accept-loss');
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a replica that lost the end of its documents, gives it no vote before it has caught up',
    async () => {
      const [replica] = cluster.replicas;
      const report = async (): Promise<{ readonly canVote: boolean }> => {
        const headers = { authorization: replicationAuthorization(cluster.settings['CLUSTER_SECRET'] ?? '') };
        return (await (await fetch(`${replica!.url}/replication/report`, { headers })).json()) as { canVote: boolean };
      };
      expect((await report()).canVote).toBe(true);
      await cluster.app.kill();
      await replica!.kill();
      cutInHalf(join(replica!.directory, 'documents'));

      await replica!.start();
      expect((await report()).canVote).toBe(false);
      await replica!.kill();
      await replica!.start();
      expect((await report()).canVote).toBe(false);
      await cluster.startApp();
      await cluster.settled();
      expect((await report()).canVote).toBe(true);
      expect(await cluster.differences()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );
});

describe('a node', () => {
  let directory: string;
  let node: ReplicaProcess;

  beforeEach(async () => {
    directory = temporaryDirectory();
    node = new ReplicaProcess(await freePort(), join(directory, 'replicas'), {
      CLUSTER_SECRET: 'a secret for tests only',
    });
    await node.start();
  });

  afterEach(async () => {
    await node.kill();
    removeDirectory(directory);
  });

  it(
    'given a replica that lost the end of its groups, the replica reports it and does not start until the loss is accepted',
    async () => {
      for (let number = 1; number <= 20; number += 1) {
        const body = JSON.stringify({ groupId: `group ${String(number)}` });
        expect((await fetch(`${node.url}/v1/group`, { method: 'POST', headers: JSON_BODY, body })).status).toBe(201);
      }
      await witnessed(join(node.directory, 'groups'), '1.20');
      await node.kill();
      cutInHalf(join(node.directory, 'groups'));

      expect(await node.spawn()).toEqual({ code: 1, signal: null });
      expect(node.printed).toMatch(
        /^recovery-needed: .*groups.* ends with record 1\.\d+ .*went on to record 1\.20 .*npm run data:accept-loss/m,
      );
      const accepted = await runToEnd('acceptLoss', join(directory, 'data'), {
        ...{ REPLICA_PORTS: '', REPLICAS_DIR: join(directory, 'replicas'), args: REASON },
      });
      expect([accepted.code, accepted.printed]).toEqual([0, expect.stringMatching(/^accepted: .*groups/)]);
      await node.start();
      const { groups } = (await (await fetch(`${node.url}/v1/groups`)).json()) as { readonly groups: unknown[] };
      expect(groups.length).toBeLessThan(20);
    },
    TEST_TIMEOUT_MS,
  );
});
