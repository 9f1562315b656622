import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ActingPrimary, CLUSTER_SECRET } from '../support/acting-primary.js';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';
import { ReplicaProcess } from '../support/replica-process.js';
import { Client } from './support/client.js';
import { startReplica } from './support/shared-replica.js';

const PATIENT_MS = 30_000;

let directory: string;
let replica: ReplicaProcess;
let primary: ActingPrimary;

beforeEach(async () => {
  directory = temporaryDirectory();
  replica = await startReplica(directory);
  primary = new ActingPrimary(replica.url);
});

afterEach(async () => {
  primary.link.close();
  await replica.kill();
  removeDirectory(directory);
});

describe('the start and stop of a replica', () => {
  it('given SIGTERM, exits with 0, and continues from the same position after a restart', async () => {
    primary.put(1, 'Ada');
    const { report } = await primary.ship();
    expect(await replica.stop()).toEqual({ code: 0, signal: null });
    await replica.start();
    expect(await primary.link.report(PATIENT_MS)).toEqual(report);
  });

  it('logs once that it waits for a primary, and once that the primary is there', async () => {
    await primary.ship();
    await primary.ship();
    await eventually(() => {
      expect(replica.printed.match(/the primary is there/g)).toHaveLength(1);
    });
    expect(replica.printed.match(/waiting for a primary/g)).toHaveLength(1);
  });

  it('given a port in use, exits with one line that says what to do', async () => {
    const second = new ReplicaProcess(replica.port, join(directory, 'elsewhere'), { CLUSTER_SECRET });
    expect(await second.spawn()).toMatchObject({ code: 1 });
    expect(second.printed).toMatch(
      /^port-taken: port \d+ is in use by another program: stop that program, or .*--port$/m,
    );
  });

  it('given a directory in use, exits with one line that says what to do', async () => {
    const second = new ReplicaProcess(replica.port, join(directory, 'replicas'), { CLUSTER_SECRET });
    expect(await second.spawn()).toMatchObject({ code: 1 });
    expect(second.printed).toMatch(/^data-directory-locked: .* this replica is already running/m);
  });

  it('given no port, exits with one line that says what to do', async () => {
    const portless = new ReplicaProcess(0, directory);
    expect(await portless.spawn({ PORT: '' })).toMatchObject({ code: 1 });
    expect(portless.printed).toMatch(/^misconfigured: PORT must be set for a replica: npm run start:replica/m);
  });

  it("given no cluster secret yet, reports that it waits for one, copies the app's secret, and keeps it", async () => {
    const data = join(directory, 'data-2');
    const waiting = await startReplica(join(directory, 'second'), { CLUSTER_SECRET: '', DATA_DIR: directory });
    try {
      await eventually(() => {
        expect(waiting.printed).toContain('waiting for the cluster secret');
      });
      const early = new ActingPrimary(waiting.url);
      await expect(early.link.report(PATIENT_MS)).rejects.toMatchObject({ code: 'not-ready' });
      (await new Client(waiting.url).get('/health/ready')).problem(503, 'secret');
      writeFileSync(join(directory, 'cluster-secret'), `${CLUSTER_SECRET}\n`);
      await eventually(async () => {
        await early.link.report(PATIENT_MS);
      });
      await waiting.stop();
      await waiting.start({ DATA_DIR: data });
      await eventually(async () => {
        await early.link.report(PATIENT_MS);
      });
      expect(statSync(join(waiting.directory, 'cluster-secret')).mode & 0o777).toBe(0o600);
      early.link.close();
    } finally {
      await waiting.kill();
    }
  });
});
