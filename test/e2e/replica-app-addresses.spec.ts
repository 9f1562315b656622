import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/ports.js';
import { ReplicaProcess } from '../support/replica-process.js';
import { Client } from './support/client.js';
import { CUSTOMER } from './support/resources.js';
import { sendJson, sendRefusal, StandInActive } from './support/stand-in-active.js';

const SECRET = 'a-secret-of-the-installation';

let directory: string;
let standby: StandInActive;
let active: StandInActive;
let replica: ReplicaProcess;

beforeEach(async () => {
  directory = temporaryDirectory();
  standby = await StandInActive.start('standby', 1);
  active = await StandInActive.start('active', 1);
});

afterEach(async () => {
  await replica.kill();
  await Promise.all([standby.stop(), active.stop()]);
  removeDirectory(directory);
});

describe('a replica that no primary has spoken to', () => {
  it('forwards a write to the one of APP_ADDRESSES that is active, and refuses it without APP_ADDRESSES', async () => {
    // A standby does not know the proof of a forwarder, because it serves nothing.
    standby.answer = (_request, response) => sendRefusal(response, 421, 'misdirected');
    active.answer = (_request, response) => sendJson(response, 201, { id: 1, ...CUSTOMER.input });
    replica = new ReplicaProcess(await freePort(), directory, { CLUSTER_SECRET: SECRET });
    await replica.start();
    const client = new Client(replica.url);
    expect((await client.post('/customers', CUSTOMER.input)).problem(503).detail).toContain('has not heard from');
    await replica.kill();
    await replica.start({ APP_ADDRESSES: `${standby.address},${active.address}` });
    const added = await eventually(async () => {
      const answer = await client.post('/customers', CUSTOMER.input);
      expect(answer.status).toBe(201);
      return answer;
    });
    expect(added.json()).toMatchObject(CUSTOMER.input);
    expect(active.received.at(-1)?.headers['x-key-added']).toMatch(/^Bearer /);
  });
});
