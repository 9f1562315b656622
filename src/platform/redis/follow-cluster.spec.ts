import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordingLog } from '../../../test/support/recording-log.js';
import { SimulatedTimers } from '../../../test/support/simulated-timers.js';
import { followCluster, LOOK_EVERY_MS } from './follow-cluster.js';
import { type ClusterAccess, ensurePassword, writeClusterNodes } from './server-files.js';

class FakeClient {
  isAnswering = false;
  isClosed = false;

  constructor(readonly port: number | undefined) {}

  answers(): Promise<boolean> {
    return Promise.resolve(this.isAnswering);
  }

  close(): void {
    this.isClosed = true;
  }
}

describe('a process that shares through a Redis Cluster', () => {
  let directory: string;
  let timers: SimulatedTimers;
  let log: RecordingLog;
  let made: FakeClient[];
  let used: FakeClient[];
  let leave: () => void;

  const runAt = (port: number): void => {
    ensurePassword(directory);
    writeClusterNodes(directory, [{ host: '127.0.0.1', port }]);
  };
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const look = async (): Promise<void> => {
    timers.pass(LOOK_EVERY_MS);
    await settled();
  };
  const start = async (nodes: ClusterAccess['nodes'] = []): Promise<void> => {
    const open = ({ nodes: [first] }: ClusterAccess): Promise<FakeClient> => {
      const client = new FakeClient(first?.port);
      made.push(client);
      return Promise.resolve(client);
    };
    leave = followCluster({ nodes, directory }, { log, timers, open }, (client) => used.push(client));
    await settled();
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'bifolio-redis-'));
    timers = new SimulatedTimers();
    log = new RecordingLog();
    made = [];
    used = [];
  });

  afterEach(() => {
    leave();
    rmSync(directory, { recursive: true });
  });

  it('given a cluster that starts later, joins it once', async () => {
    await start();
    await look();
    expect(made).toEqual([]);
    runAt(7_000);
    await look();
    await look();
    expect([made.map(({ port }) => port), used]).toEqual([[7_000], made]);
  });

  it('given a cluster that came back on other ports, opens another client and closes the old one', async () => {
    runAt(7_000);
    await start();
    made[0]!.isAnswering = true;
    runAt(7_100);
    await look();
    expect(made).toHaveLength(1);
    made[0]!.isAnswering = false;
    await look();
    await look();
    expect(used.map(({ port, isClosed }) => [port, isClosed])).toEqual([
      [7_000, true],
      [7_100, false],
    ]);
  });

  it('given an existing cluster by its settings, joins it at once', async () => {
    await start([{ host: 'redis.example', port: 6_379 }]);
    expect(used.map(({ port }) => port)).toEqual([6_379]);
  });

  it('given files that cannot be read, says so once and looks again', async () => {
    ensurePassword(directory);
    writeFileSync(join(directory, 'cluster.json'), '{');
    await start();
    await look();
    expect(log.warnings).toEqual(['the Redis Cluster is not used']);
    runAt(7_000);
    await look();
    expect(used.map(({ port }) => port)).toEqual([7_000]);
  });

  it('closed while a client opens or while it waits, leaves neither a client nor a timer', async () => {
    runAt(7_000);
    const starting = start();
    leave();
    await starting;
    expect([made.map(({ isClosed }) => isClosed), used, timers.pending]).toEqual([[true], [], 0]);
    await start();
    leave();
    expect([used.map(({ isClosed }) => isClosed), timers.pending]).toEqual([[true], 0]);
  });
});
