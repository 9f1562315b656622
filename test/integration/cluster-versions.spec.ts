import { afterEach, describe, expect, it } from '@jest/globals';
import { type GroupOp, GroupStore } from '../../src/modules/groups/index.js';
import { NO_CRASH_SITES } from '../../src/platform/crash-sites/index.js';
import { NodeDisk } from '../../src/platform/disk/index.js';
import { nextTurn, systemClock, systemTimers } from '../../src/platform/process/index.js';
import { clusterCommand, type CommandEnd } from '../support/cluster-command.js';
import { GroupNodes } from '../support/group-nodes.js';
import { RecordingLog } from '../support/recording-log.js';
import { RecordingProcessControl } from '../support/recording-process-control.js';

const LAST = Number.MAX_SAFE_INTEGER;
/** What one caller did while nodes took any number: it stands above all that clients ever bring. */
const CLEARED: GroupOp = { type: 'do', id: 'zzz', kind: 'clear', version: LAST };

/** Leaves a journal as a node does that has met so much, and was then told these. */
async function journalOf(directory: string, met: number, ...ops: readonly GroupOp[]): Promise<void> {
  const store = await GroupStore.open(
    {
      ...{ disk: new NodeDisk(), crashSites: NO_CRASH_SITES, log: new RecordingLog() },
      ...{ process: new RecordingProcessControl(), clock: systemClock, timers: systemTimers, nextTurn },
    },
    { directory, snapshotEveryBytes: 1_000_000, journalReserveBytes: 0 },
  );
  await store.raise(met);
  for (const op of ops) expect((await store.apply(op)).result).toBe('done');
  await store.close();
}

describe('nodes, some of which have seen versions far above the others', () => {
  let nodes: GroupNodes;

  afterEach(async () => {
    await nodes.stop();
  });

  const start = async (...prepared: readonly ((directory: string) => Promise<void>)[]): Promise<void> => {
    nodes = await GroupNodes.start(prepared.length, {}, (directory, index) => prepared[index]!(directory));
  };
  const poisoned = (directory: string): Promise<void> => journalOf(directory, LAST - 1, CLEARED);
  const young = (directory: string): Promise<void> => journalOf(directory, 7);
  const brandNew = (): Promise<void> => Promise.resolve();
  const run = (...args: readonly string[]): Promise<CommandEnd> =>
    clusterCommand(args, { NODES: nodes.names.join(','), DATA_DIR: nodes.clientDirectory('commands') });
  const met = (): Promise<readonly string[]> =>
    Promise.all(
      nodes.names.map(async (name) => {
        const response = await fetch(`http://${name}/v1/groups`, { headers: { 'x-operation-id': 'look' } });
        await response.arrayBuffer();
        return response.headers.get('x-group-version') ?? '';
      }),
    );
  const expectWorking = async (): Promise<void> => {
    expect(await run('create', 'g')).toMatchObject({ code: 0 });
    expect(new Set(await nodes.having('g'))).toEqual(new Set([true]));
    expect(await run('delete', 'g')).toMatchObject({ code: 0 });
    expect(new Set(await nodes.having('g'))).toEqual(new Set([false]));
    expect(await run('create', 'g')).toMatchObject({ code: 0 });
    expect(await run('clear')).toMatchObject({ code: 0 });
    expect(new Set(await nodes.having('g'))).toEqual(new Set([false]));
  };

  it('given a caller that brings such a version to one node, refuse it, and later creates are on all nodes', async () => {
    await start(young, brandNew, young);
    const response = await fetch(`http://${nodes.names[1]!}/v1/groups`, {
      method: 'DELETE',
      headers: { 'x-operation-id': 'zzz', 'x-group-version': String(LAST) },
    });

    expect([response.status, await response.json()]).toEqual([
      400,
      expect.objectContaining({ message: expect.stringContaining('at most 1000000 above 0, the highest') }),
    ]);
    await expectWorking();
    expect(Math.max(...(await met()).map(Number))).toBeLessThan(1_000);
  });

  it('given all nodes at such a version, continue above it, also after a restart', async () => {
    await start(poisoned, poisoned, poisoned);

    await expectWorking();
    expect(await run('create', 'kept')).toMatchObject({ code: 0 });
    for (const node of nodes.processes) {
      await node.kill();
      await node.start();
    }
    expect(await nodes.having('kept')).toEqual([true, true, true]);
    await expectWorking();
  });

  it('given most nodes at such a version and one new node, refuse until a repair raises the new node, and then work', async () => {
    await start(poisoned, brandNew, poisoned);
    const refused = await run('create', 'g');
    expect([refused.code, refused.out.includes(`${nodes.names[1]!}: it has seen only version 0`)]).toEqual([1, true]);
    expect(await nodes.having('g')).toEqual([false, false, false]);

    const repaired = await run('repair');

    expect(repaired).toMatchObject({ code: 0 });
    expect(repaired.out).toContain(`${nodes.names[1]!} was raised from version 0 to ${String(LAST)}.`);
    await expectWorking();
  });

  it('given one node that lags by millions, a repair raises it and lowers no node', async () => {
    const old = (directory: string): Promise<void> => journalOf(directory, 5_000_000);
    await start(young, old, (directory) => journalOf(directory, 5_000_123));
    expect(await run('create', 'g')).toMatchObject({ code: 1 });

    expect(await run('repair')).toMatchObject({ code: 0 });

    expect(await met()).toEqual(['5000000', '5000000', '5000123']);
    await expectWorking();
  });

  it('given one node at such a version, a repair names it and does not follow it until a person decides', async () => {
    await start(young, poisoned, young);
    const created = await run('create', 'g');
    expect([created.code, created.out.includes('409')]).toEqual([1, true]);
    expect(await nodes.having('g')).toEqual([false, false, false]);

    const repaired = await run('repair');

    expect(repaired.code).toBe(1);
    expect(repaired.out).toContain(`${nodes.names[1]!} has seen version ${String(LAST)}, far above`);
    for (const place of [0, 2]) expect(Number((await met())[place])).toBeLessThan(1_000);
    expect(await run('repair', '--raise-to', String(LAST))).toMatchObject({ code: 0 });
    await expectWorking();
  });

  it('given a first node that is far ahead through an unrelated group, all carry out the command', async () => {
    await start(
      (directory) => journalOf(directory, LAST - 1, { ...CLEARED, kind: 'create', groupId: 'other' }),
      young,
      young,
    );

    expect(await run('create', 'g')).toMatchObject({ code: 0 });
    expect(await nodes.having('g')).toEqual([true, true, true]);
    expect(await run('delete', 'g')).toMatchObject({ code: 0 });
    const stuck = await run('delete', 'other');
    expect([stuck.code, stuck.out.includes('Delete group "other": done')]).toEqual([1, false]);
    expect(await nodes.having('other')).toEqual([true, false, false]);
    const cleared = await run('clear');
    expect([cleared.code, cleared.out.includes('the node said yes, but still has the group')]).toEqual([1, true]);
  });
});
