import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isAppError } from '../../src/kernel/index.js';
import { ActingPrimary } from '../support/acting-primary.js';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';
import type { ReplicaProcess } from '../support/replica-process.js';
import { positionOf, primaryOf } from '../support/replication-world.js';
import { Client } from './support/client.js';
import { startReplica } from './support/shared-replica.js';

const PATIENT_MS = 30_000;

let directory: string;
let replica: ReplicaProcess;
let primary: ActingPrimary;
let client: Client;

beforeEach(async () => {
  directory = temporaryDirectory();
  replica = await startReplica(directory);
  primary = new ActingPrimary(replica.url);
  client = new Client(replica.url);
  ['Ada', 'Grace', 'Edsger'].forEach((name, index) => primary.put(index + 1, name));
});

afterEach(async () => {
  primary.link.close();
  await replica.kill();
  removeDirectory(directory);
});

async function names(): Promise<unknown[]> {
  return (await client.get('/customers')).json<{ name: unknown }[]>().map(({ name }) => name);
}

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'resolved',
    (error: unknown) => (isAppError(error) ? error.code : error),
  );
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'resolved',
    (error: unknown) => (error as Error).message,
  );
}

const quarantined = (): string[] => readdirSync(replica.directory).filter((name) => name.startsWith('quarantined-'));

describe('a replica that receives records', () => {
  it('given a primary with another secret, refuses its records', async () => {
    const stranger = new ActingPrimary(replica.url, primaryOf(), 'another secret of a cluster');
    expect(await codeOf(stranger.ship())).toBe('unauthorized');
    expect((await primary.link.report(PATIENT_MS)).position.seq).toBe(0);
    stranger.link.close();
  });

  it('given a record whose text was changed, refuses the record', async () => {
    const record = primary.records[2]!;
    primary.records[2] = { ...record, json: record.json.replace('Grace', 'Grief') };
    expect(await codeOf(primary.ship())).toBe('internal');
    expect((await primary.link.report(PATIENT_MS)).position.seq).toBe(0);
  });
});

describe('a replica and its history', () => {
  it('given records, stores them, reports its position, and returns them on request', async () => {
    const { verdict, report } = await primary.ship();
    expect([verdict, report.position]).toEqual(['accepted', positionOf(primary.records.at(-1)!)]);
    expect(report).toMatchObject({ clusterId: 'cluster-a', promisedEpoch: 1, canVote: true });
    expect(await names()).toEqual(['Ada', 'Grace', 'Edsger']);
    expect(await primary.link.records(1, 1_000_000, PATIENT_MS)).toEqual(primary.records.slice(1));
    expect(await primary.link.records(4, 1_000_000, PATIENT_MS)).toEqual([]);
  });

  it('given kill -9 and a restart, keeps everything it acknowledged, and its promise', async () => {
    const { report } = await primary.ship();
    await primary.link.promise({ epoch: 5, primaryId: 'recovery' }, PATIENT_MS);
    await replica.kill();
    await replica.start();
    const promised = { ...report, promisedEpoch: 5, promisedPrimaryId: 'recovery' };
    expect(await primary.link.report(PATIENT_MS)).toEqual(promised);
    expect(await names()).toEqual(['Ada', 'Grace', 'Edsger']);
    expect((await primary.ship()).verdict).toBe('stale-epoch');
  });

  it('given a second primary of the epoch or of another cluster, refuses it and keeps its own data', async () => {
    await primary.ship();
    const second = new ActingPrimary(replica.url, primaryOf(1, 'a second one'));
    const foreign = new ActingPrimary(replica.url, primaryOf(9, 'foreign', 'cluster-b'));
    expect((await second.ship()).verdict).toBe('stale-epoch');
    expect((await foreign.ship()).verdict).toBe('foreign-cluster');
    expect(await names()).toEqual(['Ada', 'Grace', 'Edsger']);
    second.link.close();
    foreign.link.close();
  });

  it('given the order to quarantine its data, keeps the data under another name and follows again to the same state', async () => {
    await primary.ship(0, { audit: true });
    const before = await primary.link.stateHash(primary.records.length, PATIENT_MS);
    expect((await primary.link.quarantine(primary.identity, PATIENT_MS)).report).toMatchObject({
      position: { seq: 0 },
      canVote: false,
      promisedEpoch: 1,
    });
    expect(quarantined()).toEqual([expect.stringMatching(/^quarantined-/)]);
    expect(statSync(join(replica.directory, quarantined()[0]!)).isDirectory()).toBe(true);
    expect(await names()).toEqual([]);
    await primary.ship(0, { audit: true });
    expect(await names()).toEqual(['Ada', 'Grace', 'Edsger']);
    expect(await primary.link.stateHash(primary.records.length, PATIENT_MS)).toEqual(before);
  });

  it('given a snapshot of another replica, holds that state, also after a kill, and follows from there', async () => {
    const source = await startReplica(join(directory, 'other'), { SNAPSHOT_EVERY_BYTES: '1' });
    const other = new ActingPrimary(source.url);
    try {
      for (let id = 1; id <= 50; id += 1) {
        other.put(id, `Customer ${String(id)}`);
        await other.ship(other.records.length - (id === 1 ? 2 : 1));
      }
      const snapshot = await eventually(async () => {
        const found = await other.link.snapshot(PATIENT_MS);
        if (!found) throw new Error('no snapshot was taken yet');
        return found;
      });
      const answer = await primary.link.install(primary.identity, snapshot, PATIENT_MS);
      expect([answer.verdict, answer.report.position]).toEqual(['accepted', snapshot.position]);
      await replica.kill();
      await replica.start();
      const behind = other.records.slice(snapshot.position.seq);
      const after = positionOf(other.records[snapshot.position.seq - 1]!);
      const rest = { from: other.identity, after, records: behind, durableSeq: other.records.length };
      await primary.link.append({ ...rest, primaryUrl: other.url, audit: false }, PATIENT_MS);
      const hashes = await Promise.all([other, primary].map(({ link }) => link.stateHash(undefined, PATIENT_MS)));
      expect(hashes[1]).toEqual(hashes[0]);
      expect(await primary.link.records(0, 1_000, PATIENT_MS)).toBe('gone');
    } finally {
      other.link.close();
      await source.kill();
    }
  });

  it('given bytes that are not a snapshot, refuses them and keeps its data', async () => {
    await primary.ship();
    const bytes = Buffer.from('{"customers":{}}');
    const position = { ...positionOf(primary.records.at(-1)!), seq: 99 };
    const chunks = (async function* () {
      yield bytes;
    })();
    const refused = await messageOf(
      primary.link.install(primary.identity, { position, sizeBytes: bytes.length, chunks }, 5_000),
    );
    expect(refused).toMatch(/^it answered 400: .*checksum/);
    expect((await primary.link.report(PATIENT_MS)).position.seq).toBe(4);
    expect(await names()).toEqual(['Ada', 'Grace', 'Edsger']);
  });
});
