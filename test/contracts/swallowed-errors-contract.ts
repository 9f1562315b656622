import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource, EntityManager } from 'typeorm';
import { isAppError } from '../../src/kernel/index.js';
import {
  branch,
  type DecisionDetails,
  TransactionCoordinator,
  type TypeOrmLastResource,
  type TypeOrmWork,
} from '../../src/protocols/two-phase-commit/index.js';
import { NO_CRASH_SITES } from '../../src/platform/crash-sites/index.js';
import { MemoryParticipant, ParticipantDisk } from '../support/memory-participant.js';
import { NameEntity } from '../support/names-database.js';
import { RecordingLog } from '../support/recording-log.js';
import { SimulatedClock } from '../support/simulated-clock.js';
import { SimulatedTimers } from '../support/simulated-timers.js';
import { transactionId } from '../support/transaction-ids.js';

export interface DecidingDatabaseUnderTest {
  dataSource(): DataSource;
  lastResource(): TypeOrmLastResource;
  reopen(): Promise<void>;
  close(): Promise<void>;
}

/** An action of `decide` between two of its statements. */
export type Doing = (manager: EntityManager, underTest: DecidingDatabaseUnderTest) => unknown;

interface Habits {
  /** The outcome of a transaction in which `decide` swallowed the refusal of a statement. */
  readonly swallowed: 'committed' | 'refused';
}

const WRITES: readonly ((manager: EntityManager) => Promise<unknown>)[] = [
  (manager) => manager.insert(NameEntity, { name: 'a' }),
  (manager) => manager.getRepository(NameEntity).save({ name: 'b' }),
  (manager) => manager.createQueryBuilder().insert().into(NameEntity).values({ name: 'c' }).execute(),
  (manager) => manager.query("INSERT INTO names VALUES ('d')"),
  (manager) => manager.transaction((inner) => inner.insert(NameEntity, { name: 'e' })),
];
const ALL_NAMES = ['a', 'b', 'c', 'd', 'e'];
const INDEXES = [0, 1, 2, 3, 4, 5];
const ID = transactionId(new SimulatedClock().nowMs(), 1);

const taken = { name: 'taken' };
const FAILURES: readonly (readonly [what: string, doing: Doing])[] = [
  ['an insert by the manager', (manager) => manager.insert(NameEntity, taken)],
  [
    'an insert by a query builder',
    (manager) => manager.createQueryBuilder().insert().into(NameEntity).values(taken).execute(),
  ],
  ['a raw query', (manager) => manager.query("INSERT INTO names VALUES ('taken')")],
  ['a query that is not SQL', (manager) => manager.query('INSERT IN THE names')],
  ['a COMMIT in one query with others', (manager) => manager.query('SELECT 1; COMMIT; SELECT 1')],
];

/** Actions that `decide` must not take, even if it swallows their error. */
const MISUSES: readonly (readonly [what: string, doing: Doing])[] = [
  ...['COMMIT', 'END', 'ROLLBACK', 'BEGIN', ' -- now\n;commit', '/* now */ ROLLBACK'].map(
    (sql) => [`sends ${JSON.stringify(sql)}`, (manager: EntityManager) => manager.query(sql)] as const,
  ),
  ['commits by the query runner', (manager) => manager.queryRunner?.commitTransaction()],
  ['rolls back by the query runner', (manager) => manager.queryRunner?.rollbackTransaction()],
  ['leaves a nested transaction open', (manager) => manager.queryRunner?.startTransaction()],
  ['releases the query runner', (manager) => manager.queryRunner?.release()],
  ['removes the row of the decision', (manager) => manager.query('DELETE FROM transaction_decisions')],
  [
    'runs two nested transactions side by side, and one of them fails',
    (manager) =>
      Promise.all([
        manager.transaction(async (inner) => {
          await inner.insert(NameEntity, { name: 'half' });
          await inner.insert(NameEntity, taken);
        }),
        manager.transaction((inner) => inner.insert(NameEntity, { name: 'other' })),
      ]),
  ],
];

/** The behaviour that callers with TypeORM may rely on, whatever the database does after an error. */
export function describeSwallowedErrors(
  name: string,
  open: () => Promise<DecidingDatabaseUnderTest>,
  { swallowed }: Habits,
): void {
  describe(`${name}, whose decide continues after an error`, () => {
    let underTest: DecidingDatabaseUnderTest;

    const details = (id = ID): DecisionDetails => ({
      ...{
        id,
        kind: 'names',
        decidedBy: underTest.lastResource().id,
        incarnation: underTest.lastResource().incarnation,
      },
      ...{ by: 'coordinator', begunAtMs: 1, preparedAtMs: 2, positions: {} },
    });
    /** Writes five names, and before the one at `index` runs `doing` and swallows its error. */
    const writingAround = (index: number, doing: Doing): TypeOrmWork => {
      return async (manager) => {
        for (const at of INDEXES) {
          if (at === index) await swallowing(() => doing(manager, underTest));
          await (WRITES[at] ?? (() => undefined))(manager);
        }
      };
    };
    const commit = (work: TypeOrmWork): Promise<string> =>
      underTest
        .lastResource()
        .commit(details(), work)
        .then(
          ({ decision }) => decision,
          (error: unknown) => (isAppError(error, 'outcome-unknown') ? 'unknown' : 'refused'),
        );
    const names = async (): Promise<string[]> => {
      const rows = await underTest.dataSource().manager.find(NameEntity, { order: { name: 'ASC' } });
      return rows.map((row) => row.name).filter((one) => one !== 'taken');
    };
    const found = async () => ({ names: await names(), row: (await underTest.lastResource().decisions([ID])).get(ID) });
    const whole = { names: ALL_NAMES, row: 'committed' };
    const nothing = { names: [], row: undefined };

    /** Expects a refusal with nothing written, also after the next commit and a restart. */
    const expectRefused = async (outcome: string): Promise<void> => {
      expect([outcome, await found()]).toEqual(['refused', nothing]);
      const next = details(transactionId(2, 2));
      await underTest.lastResource().commit(next, (manager) => manager.insert(NameEntity, { name: 'next' }));
      await underTest.reopen();
      expect(await found()).toEqual({ names: ['next'], row: undefined });
    };

    beforeEach(async () => {
      underTest = await open();
    });

    afterEach(() => underTest.close());

    it('commits the row and all five kinds of statements when none fails', async () => {
      expect([await commit(writingAround(-1, () => undefined)), await found()]).toEqual(['committed', whole]);
    });

    describe.each(FAILURES)('%s', (_, doing) => {
      it.each(INDEXES)(`swallowed at index %i, is ${swallowed}, with row and work or with nothing`, async (index) => {
        const outcome = await commit(writingAround(index, doing));
        if (swallowed === 'refused') return expectRefused(outcome);
        expect([outcome, await found()]).toEqual(['committed', whole]);
        await underTest.reopen();
        expect(await found()).toEqual(whole);
      });

      it('swallowed at each index in turn, notifies the participant of the decision of the database', async () => {
        const disk = new ParticipantDisk();
        for (const index of INDEXES) {
          const participant = new MemoryParticipant('ledger', disk);
          const coordinator = new TransactionCoordinator<TypeOrmWork>(
            {
              ...{ participants: [participant], lastResource: underTest.lastResource(), log: new RecordingLog() },
              ...{ timers: new SimulatedTimers(), clock: new SimulatedClock(), crashSites: NO_CRASH_SITES },
              newId: () => transactionId(3, index),
            },
            { prepareDeadlineMs: 1_000, answerDeadlineMs: 2_000, inDoubtAfterMs: 5_000 },
          );
          const outcome = await coordinator
            .execute({
              kind: 'invoice',
              branches: [branch(participant, `entry ${String(index)}`)],
              decide: writingAround(index, doing),
            })
            .then(
              ({ state }) => state,
              () => 'refused',
            );
          const carriedOut = await participant.carriedOut();
          const has = (await names()).length;
          expect([outcome, has, carriedOut.at(-1)?.decision]).toEqual(
            swallowed === 'refused' ? ['refused', 0, 'aborted'] : ['committed', ALL_NAMES.length, 'committed'],
          );
          await underTest.dataSource().query("DELETE FROM names WHERE name <> 'taken'");
        }
      });

      it('swallowed around a nested transaction, commits without the nested work', async () => {
        const inner = writingAround(2, (manager) =>
          manager.transaction(async (nested) => {
            await nested.insert(NameEntity, { name: 'half' });
            await doing(nested, underTest);
          }),
        );

        expect([await commit(inner), await found()]).toEqual(['committed', whole]);
      });
    });

    describe.each(MISUSES)('given a `decide` that %s', (_, doing) => {
      it.each([0, 2, 5])(
        'at index %i and swallows the error, refuses the transaction and writes nothing',
        async (index) => {
          await expectRefused(await commit(writingAround(index, doing)));
        },
      );
    });

    it('given a statement that `decide` does not await, commits it too or commits nothing', async () => {
      const late: Promise<unknown>[] = [];
      const outcome = await commit(async (manager) => {
        late.push(manager.query("INSERT INTO names VALUES ('late')"));
        await manager.insert(NameEntity, { name: 'a' });
        late.push(manager.query("INSERT INTO names VALUES ('later')"));
      });
      await Promise.allSettled(late);

      await expectRefused(outcome);
    });

    it('given a manager that is used after its transaction, refuses the statement and writes nothing', async () => {
      let kept: EntityManager | undefined;
      const outcome = await commit(async (manager) => {
        kept = manager;
        await writingAround(-1, () => undefined)(manager, { id: ID });
      });

      await expect(kept?.insert(NameEntity, { name: 'late' })).rejects.toThrow();
      await expect(kept?.query("INSERT INTO names VALUES ('later')")).rejects.toThrow();
      expect([outcome, await found()]).toEqual(['committed', whole]);
    });

    it('given a `decide` that swallows nothing, rejects with the error of the database', async () => {
      const refused = underTest.lastResource().commit(details(), (manager) => manager.insert(NameEntity, taken));

      await expect(refused).rejects.toMatchObject({ driverError: expect.anything() });
      expect(await found()).toEqual(nothing);
    });
  });
}

async function swallowing(doing: () => unknown): Promise<void> {
  try {
    await doing();
  } catch {
    // Like a `decide` that believes it knows the reason.
  }
}
