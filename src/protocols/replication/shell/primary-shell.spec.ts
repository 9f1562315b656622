import { expect, it } from '@jest/globals';
import { SimulatedTimers } from '../../../../test/support/simulated-timers.js';
import { ReplicationPrimary, type ReplicationPorts } from './primary-shell.js';

it('given a stop before the primary waits to admit writes, rejects at once instead of at the write deadline', async () => {
  const ports = { timers: new SimulatedTimers(), links: [], store: { history: {} } };
  const primary = new ReplicationPrimary(ports as unknown as ReplicationPorts, {
    ...{ minInSync: 2, pingMs: 100, replicaTimeoutMs: 1_000, writeDeadlineMs: 5_000, auditEveryMs: 0 },
    ...{ batchBytes: 1_000, readWaitMs: 1_000, writeConcern: 'majority', primaryUrl: () => '' },
  });
  primary.close();
  await expect(primary.whenAdmitting()).rejects.toMatchObject({ code: 'shutting-down' });
});
