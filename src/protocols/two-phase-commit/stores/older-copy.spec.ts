import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { removeDirectory, temporaryDirectory } from '../../../../test/support/app-process.js';
import { openBooksDatabase } from '../../../../test/support/books-database.js';
import { eventually } from '../../../../test/support/eventually.js';
import { MemoryParticipant, ParticipantDisk } from '../../../../test/support/memory-participant.js';
import { openNamesDatabase, sqliteFile } from '../../../../test/support/names-database.js';
import { RecordingLog } from '../../../../test/support/recording-log.js';
import { SimulatedClock } from '../../../../test/support/simulated-clock.js';
import { SimulatedTimers } from '../../../../test/support/simulated-timers.js';
import { transactionId } from '../../../../test/support/transaction-ids.js';
import { NodeDisk } from '../../../platform/disk/index.js';
import { NO_CRASH_SITES } from '../../../platform/crash-sites/index.js';
import { systemClock } from '../../../platform/process/index.js';
import { acceptMissingCommits, SqlTransactionTable } from '../../../platform/sql/index.js';
import type { LastResource } from '../ports.js';
import { branch } from '../shell/transaction.js';
import { TransactionCoordinator } from '../shell/transaction-coordinator.js';
import { SqliteLastResource, type SqlWork } from './sqlite-last-resource.js';
import { TypeOrmLastResource, type TypeOrmWork } from './typeorm-last-resource.js';

interface Opened<Work> {
  readonly lastResource: LastResource<Work, unknown>;
  readonly close: () => Promise<void>;
}

const OPTIONS = { prepareDeadlineMs: 1_000, answerDeadlineMs: 2_000, inDoubtAfterMs: 5_000 };
const NOTHING = { committed: [], aborted: [], unmatched: [], failed: [] };
const ID = transactionId(new SimulatedClock().nowMs(), 1);

describeOlderCopies<SqlWork>(
  'SqliteLastResource',
  async (file) => {
    // Missing commits would refuse the start before this; an operator has accepted their loss.
    await acceptMissingCommits(new NodeDisk(), file);
    const database = await openBooksDatabase(file);
    const table = new SqlTransactionTable(database, { clock: systemClock, log: new RecordingLog() }, () => false);
    return { lastResource: new SqliteLastResource(database, table), close: () => database.close() };
  },
  () => 'done',
);

describeOlderCopies<TypeOrmWork>(
  'TypeOrmLastResource',
  async (file) => {
    const dataSource = await openNamesDatabase(sqliteFile(file));
    const lastResource = await TypeOrmLastResource.open(dataSource, { log: new RecordingLog() });
    const close = async (): Promise<void> => {
      await lastResource.close();
      await dataSource.destroy();
    };
    return { lastResource, close };
  },
  async () => 'done',
);

function describeOlderCopies<Work>(name: string, open: (file: string) => Promise<Opened<Work>>, decide: Work): void {
  describe(`an older copy of the file of a ${name}`, () => {
    let directory: string;
    let file: string;
    let disk: ParticipantDisk;

    /** A process over one incarnation of the file. */
    const living = async <T>(
      task: (coordinator: TransactionCoordinator<Work>, its: Opened<Work> & { participant: MemoryParticipant }) => T,
      participant = new MemoryParticipant('names', disk),
    ): Promise<Awaited<T>> => {
      const opened = await open(file);
      const ports = { timers: new SimulatedTimers(), clock: new SimulatedClock(), log: new RecordingLog() };
      const { lastResource } = opened;
      const coordinator = new TransactionCoordinator<Work>(
        { ...ports, participants: [participant], lastResource, crashSites: NO_CRASH_SITES, newId: () => ID },
        OPTIONS,
      );
      try {
        return await task(coordinator, { ...opened, participant });
      } finally {
        await opened.close();
      }
    };
    const start = () => living((coordinator) => coordinator.recoverAtStart());
    /** An incarnation that decides and dies before it notifies a participant. */
    const commitAndDie = () =>
      living(
        async (coordinator, { lastResource, participant }) => {
          void coordinator.execute({ kind: 'naming', branches: [branch(participant, 'x')], decide });
          await eventually(async () => {
            expect((await lastResource.decisions([ID])).get(ID)).toBe('committed');
          });
        },
        new MemoryParticipant('names', disk, (step) =>
          step === 'commit' ? new Promise<void>(() => undefined) : undefined,
        ),
      );

    /** Copies the commit witness too, if there is one; otherwise the witness would notice the older file. */
    const copyWhole = (from: string, to: string): void => {
      for (const beside of ['', '.commits']) {
        const [source, target] = [from, to].map((name) => join(directory, `${name}${beside}`)) as [string, string];
        if (existsSync(source)) copyFileSync(source, target);
      }
    };

    beforeEach(() => {
      directory = temporaryDirectory();
      file = join(directory, 'deciding.db');
      disk = new ParticipantDisk();
    });

    afterEach(() => {
      removeDirectory(directory);
    });

    it('never presumes an abort of a transaction that the newer file has committed, however often it is started', async () => {
      expect(await start()).toEqual(NOTHING);
      copyWhole('deciding.db', 'older.db');
      await commitAndDie();
      copyWhole('deciding.db', 'newer.db');
      copyWhole('older.db', 'deciding.db');

      for (let incarnation = 1; incarnation <= 3; incarnation += 1) {
        expect(await start()).toEqual({ ...NOTHING, unmatched: [ID] });
      }
      const running = await living(async (coordinator, { lastResource }) => {
        const report = await coordinator.recoverNow();
        return [report, (await lastResource.decisions([ID])).size, disk.names];
      });
      expect(running).toEqual([{ ...NOTHING, unmatched: [ID] }, 0, []]);

      copyWhole('newer.db', 'deciding.db');
      expect([await start(), disk.names]).toEqual([{ ...NOTHING, committed: [ID] }, ['x']]);
    });

    it('from within the incarnation of a transaction, aborts that transaction, which no file has committed', async () => {
      await living(async (_, { lastResource, participant }) => {
        const { id: decidedBy, incarnation } = lastResource;
        await participant.prepare({ id: ID, kind: 'naming', decidedBy, incarnation }, 'x');
      });
      copyWhole('deciding.db', 'older.db');
      await living(() => undefined);
      copyWhole('older.db', 'deciding.db');

      expect([await start(), disk.names]).toEqual([{ ...NOTHING, aborted: [ID] }, []]);
    });
  });
}
