import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FOLLOWER_CRASH_SITES } from '../../src/platform/documents/index.js';
import type { SnapshotStream } from '../../src/kernel/index.js';
import { ActingPrimary, CLUSTER_SECRET } from '../support/acting-primary.js';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/ports.js';
import { ReplicaProcess } from '../support/replica-process.js';
import { positionOf } from '../support/replication-world.js';

const PATIENT_MS = 30_000;
const CUSTOMERS = 30;

let directory: string;
let source: ReplicaProcess;
let primary: ActingPrimary;
let snapshotBytes: Buffer;
let snapshotPosition: SnapshotStream['position'];

async function newReplica(environment: Readonly<Record<string, string>> = {}): Promise<ReplicaProcess> {
  const replica = new ReplicaProcess(await freePort(), directory, { CLUSTER_SECRET, DATA_DIR: directory });
  await replica.start(environment);
  return replica;
}

/** A snapshot to install, as a replica took it. */
beforeAll(async () => {
  directory = temporaryDirectory();
  source = await newReplica({ SNAPSHOT_EVERY_BYTES: '1' });
  primary = new ActingPrimary(source.url);
  for (let id = 1; id <= CUSTOMERS; id += 1) {
    primary.put(id, `Customer ${String(id)}`);
    await primary.ship(primary.records.length - (id === 1 ? 2 : 1));
  }
  await eventually(async () => {
    const found = await primary.link.snapshot(PATIENT_MS);
    if (!found) throw new Error('no snapshot was taken yet');
    const chunks: Buffer[] = [];
    for await (const chunk of found.chunks) chunks.push(chunk);
    snapshotBytes = Buffer.concat(chunks);
    snapshotPosition = found.position;
  });
});

afterAll(async () => {
  primary.link.close();
  await source.kill();
  removeDirectory(directory);
});

const snapshot = (): SnapshotStream => ({
  position: snapshotPosition,
  sizeBytes: snapshotBytes.length,
  chunks: (async function* () {
    yield snapshotBytes;
  })(),
});

/** The same history, for another replica. */
function primaryOfAll(url: string): ActingPrimary {
  const other = new ActingPrimary(url);
  other.records.splice(0, other.records.length, ...primary.records);
  return other;
}

describe('a replica that dies between two steps of a change of its data', () => {
  it.each(FOLLOWER_CRASH_SITES)(
    'at %s, has either the old or the new data whole after the next start, and continues',
    async (site) => {
      const replica = await newReplica({ FAULTS: '1', CRASH_SITE: site });
      const following = primaryOfAll(replica.url);
      try {
        const first = following.records.slice(0, 3);
        const change = async (): Promise<unknown> => {
          await following.ship(0, { records: first });
          await following.link.quarantine(following.identity, PATIENT_MS);
          await following.ship(0, { records: first });
          return following.link.install(following.identity, snapshot(), PATIENT_MS);
        };
        await expect(change()).rejects.toMatchObject({ code: expect.stringMatching(/outcome-unknown|not-ready/) });
        await eventually(() => {
          expect(replica.isRunning).toBe(false);
        });
        await replica.start();

        const { position } = await following.link.report(PATIENT_MS);
        const held = following.records[position.seq - 1];
        expect([0, 3, snapshotPosition.seq]).toContain(position.seq);
        if (held) expect(position).toEqual(positionOf(held));
        const { report } = await following.ship(position.seq);
        expect(report.position.seq).toBe(CUSTOMERS + 1);
        const hashes = await Promise.all([primary, following].map(({ link }) => link.stateHash(undefined, PATIENT_MS)));
        expect(hashes[1]).toEqual(hashes[0]);
      } finally {
        following.link.close();
        await replica.kill();
      }
    },
  );
});
