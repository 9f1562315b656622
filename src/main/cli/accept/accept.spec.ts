import { beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryLastResource } from '../../../../test/support/memory-last-resource.js';
import { SimulatedClock } from '../../../../test/support/simulated-clock.js';
import { TransactionWorld } from '../../../../test/support/transaction-world.js';
import { accept } from './accept.js';
import { wordsOf } from './words.js';

const REASON = 'the backup is of Monday';

describe('accepting what the documents have committed', () => {
  let world: TransactionWorld;
  const accepting = async (): Promise<readonly string[]> => {
    const { participants, sqlDisk } = world;
    const lastResource = new MemoryLastResource(sqlDisk);
    return wordsOf(await accept({ participants, lastResource, clock: new SimulatedClock() }, REASON), REASON).lines;
  };

  beforeEach(() => {
    world = new TransactionWorld();
  });

  it('with stores of one time, has nothing to do', async () => {
    await world.execute('x');

    expect(await accepting()).toEqual(['Every committed transaction has its row: there was nothing to accept.']);
  });

  it('writes the row of each transaction that is missing, once for all that know of it, so that a start goes on', async () => {
    const monday = world.sqlDisk.copy();
    await world.execute('x');
    await world.execute('y');
    world.sqlDisk = monday;
    world.start();
    await expect(world.coordinator.recoverAtStart()).rejects.toMatchObject({ code: 'recovery-needed' });

    expect(await accepting()).toEqual([
      `accepted: naming t1 (its row says committed, by operator: ${REASON})`,
      `accepted: naming t2 (its row says committed, by operator: ${REASON})`,
      'What the database had of them does not come back by this.',
      '"npm start" goes on from here.',
    ]);
    expect(world.sqlDisk.rows.get('t1')).toMatchObject({
      ...{ decision: 'committed', by: 'operator', reason: REASON, decidedBy: 'sql-1', places: { a: '', b: '' } },
    });
    world.start();
    expect((await world.coordinator.recoverAtStart()).committed).toEqual(['t1', 't2']);
    expect(await accepting()).toHaveLength(1);
  });

  it('leaves what a row cannot mend, says so, and fails', async () => {
    world.hold('sql', 'committed');
    void world.execute('x');
    await world.settled();
    const { sqlDisk } = world;
    world = new TransactionWorld();
    world.sqlDisk = sqlDisk;
    world.start();
    const { participants } = world;
    const lastResource = new MemoryLastResource(sqlDisk);
    const said = wordsOf(await accept({ participants, lastResource, clock: new SimulatedClock() }, REASON), REASON);

    expect(said.exitCode).toBe(1);
    expect(said.lines).toEqual([
      ...['a', 'b'].map((name) => {
        const why = 'it is committed in the database and was never promised here, so this is an older copy';
        return `left: naming t1 of ${name}: ${why}`;
      }),
      'Those that are left need the right copy of the data.',
    ]);
  });
});
