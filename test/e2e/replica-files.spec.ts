import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { ActingPrimary } from '../support/acting-primary.js';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import type { ReplicaProcess } from '../support/replica-process.js';
import { Client } from './support/client.js';
import { startReplica } from './support/shared-replica.js';

let directory: string;
let replica: ReplicaProcess;
let primary: ActingPrimary;
let client: Client;

beforeEach(async () => {
  directory = temporaryDirectory();
  replica = await startReplica(directory);
  primary = new ActingPrimary(replica.url);
  client = new Client(replica.url);
});

afterEach(async () => {
  primary.link.close();
  await replica.kill();
  removeDirectory(directory);
});

const newestIn = (folder: string): string => {
  const names = readdirSync(join(replica.directory, folder)).filter((name) => name.startsWith('journal-'));
  return join(replica.directory, folder, names.sort().at(-1) ?? '');
};

describe('a replica that loses a file while it is running', () => {
  it.each([
    ['the journal of its customers', (): string => newestIn('documents')],
    ['the journal of its groups', (): string => newestIn('groups')],
    ['what knows where the journal of its groups ends', (): string => join(replica.directory, 'groups.end')],
    ['its promise', (): string => join(replica.directory, 'promise.json')],
  ])(
    'given %s, names the file, refuses writes, keeps serving reads, and recovers when the file is put back',
    async (_, fileOf) => {
      primary.put(1, 'Ada');
      await primary.ship();
      const file = fileOf();
      renameSync(file, `${file}.away`);

      const { errors } = (await client.get('/health/ready')).problem(503);
      expect(errors).toContainEqual({ field: 'files', message: expect.stringContaining(file) });
      const refused = (await client.post('/v1/group', { groupId: 'a' })).problem(503);
      expect([refused.code, refused.detail]).toEqual(['storage-damaged', expect.stringContaining(file)]);
      expect((await client.get('/customers/1')).status).toBe(200);

      renameSync(`${file}.away`, file);
      await client.get('/health/ready');
      expect((await client.post('/v1/group', { groupId: 'a' })).status).toBe(201);
    },
  );
});
