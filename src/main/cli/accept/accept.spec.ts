import { beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryLastResource } from '../../../../test/support/memory-last-resource.js';
import { SimulatedClock } from '../../../../test/support/simulated-clock.js';
import { TransactionWorld } from '../../../../test/support/transaction-world.js';
import { accept } from './accept.js';
import { acceptMessage } from './messages.js';

/** Where a database has nothing that its participants lack. */
const NOTHING_LOST = {
  giveUp: async (ids: readonly string[]): Promise<void> => {
    expect(ids).toEqual([]);
  },
};

const REASON = 'the backup is of Monday';

describe('accepting what the documents have committed', () => {
  let world: TransactionWorld;
  const accepting = async (): Promise<readonly string[]> => {
    const { participants, sqlDisk } = world;
    const lastResource = new MemoryLastResource(sqlDisk);
    const ports = { participants, lastResource, table: NOTHING_LOST, clock: new SimulatedClock() };
    return acceptMessage(await accept(ports, REASON), REASON).lines;
  };

  beforeEach(() => {
    world = new TransactionWorld();
  });

  it('given stores at the same point in time, does nothing', async () => {
    await world.execute('x');

    expect(await accepting()).toEqual(['Nothing to accept: every committed transaction has its row.']);
  });

  it('given missing rows, writes each once for all participants, and a start succeeds', async () => {
    const monday = world.sqlDisk.copy();
    await world.execute('x');
    await world.execute('y');
    world.sqlDisk = monday;
    world.start();
    await expect(world.coordinator.recoverAtStart()).rejects.toMatchObject({ code: 'recovery-needed' });

    expect(await accepting()).toEqual([
      `accepted: naming t1 (its row says committed, by operator: ${REASON})`,
      `accepted: naming t2 (its row says committed, by operator: ${REASON})`,
      'The rows that the database lost with them stay lost.',
      'Run "npm start" to continue.',
    ]);
    expect(world.sqlDisk.rows.get('t1')).toMatchObject({
      ...{ decision: 'committed', by: 'operator', reason: REASON, decidedBy: 'sql-1', positions: { a: '', b: '' } },
    });
    world.start();
    expect((await world.coordinator.recoverAtStart()).committed).toEqual(['t1', 't2']);
    expect(await accepting()).toHaveLength(1);
  });

  it('given transactions that participants have lost, gives them up, reports that, and a start succeeds', async () => {
    world.hold('sql', 'committed');
    void world.execute('x');
    await world.settled();
    const { sqlDisk } = world;
    world = new TransactionWorld();
    world.sqlDisk = sqlDisk;
    world.start();
    const { participants } = world;
    const lastResource = new MemoryLastResource(sqlDisk);
    const givenUp: (readonly string[])[] = [];
    const table = {
      giveUp: async (ids: readonly string[]) => {
        givenUp.push(ids);
      },
    };
    const ports = { participants, lastResource, table, clock: new SimulatedClock() };
    const said = acceptMessage(await accept(ports, REASON), REASON);

    expect(givenUp).toEqual([['t1']]);
    expect(said.exitCode).toBe(0);
    expect(said.lines).toEqual([
      ...['a', 'b'].map((name) => `given up: naming t1, which ${name} has lost (${REASON})`),
      'The database keeps its part of them; the part that the participant lost stays lost.',
      'Run "npm start" to continue.',
    ]);
  });
});
