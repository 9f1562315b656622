import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { DataSource, EntityManager } from 'typeorm';
import {
  type DecisionDetails,
  TypeOrmLastResource,
  type TypeOrmWork,
} from '../../src/protocols/two-phase-commit/index.js';
import { eventually } from '../support/eventually.js';
import { NameEntity, openNamesDatabase, taking } from '../support/names-database.js';
import { describeOnPostgres, type PostgresAddress } from '../support/postgres-server.js';
import { RecordingLog } from '../support/recording-log.js';
import { SeveredLink } from './severed-link.js';
import { transactionId } from '../support/transaction-ids.js';

const SLOW_COMMIT = `
  CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(600); RETURN NULL; END $$;
  CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON names DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.name = 'slow') EXECUTE FUNCTION wait()`;
const AT_COMMIT = `CREATE TABLE chosen (name varchar REFERENCES names DEFERRABLE INITIALLY DEFERRED)`;

describeOnPostgres('TypeOrmLastResource on a PostgreSQL that fails', (running) => {
  let address: PostgresAddress;
  let link: SeveredLink;
  let dataSource: DataSource;
  let lastResource: TypeOrmLastResource;

  beforeEach(async () => {
    address = await running().newDatabase();
    link = await SeveredLink.to(address.port, 'COMMIT');
    dataSource = await openNamesDatabase({ ...address, port: link.port, logging: false });
    lastResource = await TypeOrmLastResource.open(dataSource, { log: new RecordingLog() });
    await asAdmin((admin) => admin.query(SLOW_COMMIT));
    await asAdmin((admin) => admin.query(AT_COMMIT));
  });

  afterEach(async () => {
    await dataSource.destroy();
    await link.close();
  });

  const asAdmin = <T>(task: (admin: DataSource) => Promise<T>): Promise<T> => running().asAdmin(task, address.database);
  const details = (number = 1): DecisionDetails => ({
    ...{
      id: transactionId(1, number),
      kind: 'names',
      decidedBy: lastResource.id,
      incarnation: lastResource.incarnation,
    },
    ...{ by: 'coordinator', begunAtMs: 1, preparedAtMs: 2, positions: {} },
  });
  const commit = (work: TypeOrmWork, number = 1) => lastResource.commit(details(number), work);
  const found = () =>
    asAdmin(async (admin) => ({
      names: (await admin.query<{ name: string }[]>("SELECT name FROM names WHERE name <> 'taken'")).map(
        ({ name }) => name,
      ),
      rows: (await admin.query<{ decision: string }[]>('SELECT decision FROM transaction_decisions')).map(
        ({ decision }) => decision,
      ),
    }));
  const nothing = { names: [], rows: [] };
  /** As when it was decided to abort: no late COMMIT can come any more. */
  const aborted = { names: [], rows: ['aborted'] };
  const terminate = async (query: string): Promise<void> => {
    const sql = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = '${address.database}' AND pid <> pg_backend_pid() AND query LIKE '${query}'`;
    await eventually(async () => {
      expect((await asAdmin((admin) => admin.query<unknown[]>(sql))).length).toBeGreaterThan(0);
    });
  };

  it.each([
    ['that decide lets out', (tried: Promise<unknown>) => tried],
    ['that decide swallows', (tried: Promise<unknown>) => tried.catch(() => undefined)],
  ])(
    'given a connection killed between two statements, and the error of the second one %s, refuses as not-ready',
    async (_, met) => {
      const refused = commit(async (manager) => {
        await manager.insert(NameEntity, { name: 'a' });
        await terminate('INSERT INTO "names"%');
        await met(manager.insert(NameEntity, { name: 'b' }));
      });

      await expect(refused).rejects.toMatchObject({ code: 'not-ready', retry: 'safe' });
      expect(await found()).toEqual(nothing);
      await commit(taking('c'), 2);
      expect(await found()).toEqual({ names: ['c'], rows: ['committed'] });
    },
  );

  it('given a connection killed during the COMMIT, lets the row decide, and refuses definitely', async () => {
    const committing = commit(taking('slow'));
    const refused = expect(committing).rejects.toMatchObject({ code: 'not-ready' });
    await terminate('COMMIT');

    await refused;
    expect(await found()).toEqual(aborted);
  });

  it('given a COMMIT that never arrives, lets the row decide, and refuses definitely', async () => {
    link.severNext('before it arrives');

    await expect(commit(taking('a'))).rejects.toMatchObject({ code: 'not-ready' });
    expect(await found()).toEqual(aborted);
  });

  it('given a COMMIT whose answer is lost, finds its row and reports it as committed', async () => {
    link.severNext('after it took effect');

    expect(await commit(taking('a'))).toEqual({ decision: 'committed', result: 'result of a' });
    expect(await found()).toEqual({ names: ['a'], rows: ['committed'] });
  });

  it('given a server that dies during the COMMIT, reports the outcome as unknown; when the server is back, the row gives it', async () => {
    const committing = commit(taking('slow'));
    const unknown = expect(committing).rejects.toMatchObject({ code: 'outcome-unknown', retry: 'unknown' });
    await eventually(async () => {
      const sql = "SELECT 1 FROM pg_stat_activity WHERE query = 'COMMIT' AND wait_event = 'PgSleep'";
      expect(await asAdmin((admin) => admin.query<unknown[]>(sql))).toHaveLength(1);
    });
    await running().crash();

    await unknown;
    await running().restart();
    const decided = await eventually(() => lastResource.abort([details()]));
    expect([decided.get(details().id), await found()]).toEqual(['aborted', aborted]);
  });

  it('given a constraint that fails at the COMMIT, refuses definitely and keeps nothing', async () => {
    const work: TypeOrmWork = async (manager) => {
      await manager.insert(NameEntity, { name: 'a' });
      await manager.query("INSERT INTO chosen VALUES ('nobody')");
    };

    await expect(commit(work)).rejects.toMatchObject({ driverError: { code: '23503' } });
    expect(await found()).toEqual(aborted);
  });

  it.each([
    ['that decide lets out', (tried: Promise<unknown>) => tried],
    ['that decide swallows', (tried: Promise<unknown>) => tried.catch(() => undefined)],
  ])(
    'given a row that another transaction changed, and a serialization failure %s, refuses as storage-busy',
    async (_, met) => {
      const serializable = await openNamesDatabase({ ...address, isolationLevel: 'REPEATABLE READ' });
      const deciding = await TypeOrmLastResource.open(serializable, { log: new RecordingLog() });
      const update = "UPDATE names SET name = name WHERE name = 'taken'";
      const overtaken = deciding.commit(details(2), async (manager: EntityManager) => {
        await manager.insert(NameEntity, { name: 'b' });
        await asAdmin((admin) => admin.query(update));
        await met(manager.query(update));
      });

      await expect(overtaken).rejects.toMatchObject({ code: 'storage-busy', retry: 'safe' });
      expect(await found()).toEqual(nothing);
      await serializable.destroy();
    },
  );

  it("given two transactions that read each other's writes, commits one and refuses the other as storage-busy", async () => {
    const serializable = await openNamesDatabase({ ...address, isolationLevel: 'SERIALIZABLE' });
    const deciding = await TypeOrmLastResource.open(serializable, { log: new RecordingLog() });
    let readers = 0;
    const work =
      (name: string): TypeOrmWork =>
      async (manager) => {
        await manager.countBy(NameEntity, {});
        readers += 1;
        await eventually(() => {
          expect(readers).toBe(2);
        });
        await manager.insert(NameEntity, { name });
      };
    const told = await Promise.allSettled(['a', 'b'].map((name, at) => deciding.commit(details(at), work(name))));
    await serializable.destroy();

    const refused = told.find(({ status }) => status === 'rejected');
    expect(refused).toMatchObject({ reason: { code: 'storage-busy', retry: 'safe' } });
    expect((await found()).names).toEqual([told[0]?.status === 'fulfilled' ? 'a' : 'b']);
  });

  it('given a decide that makes the COMMIT answer before it is durable, refuses it', async () => {
    const work: TypeOrmWork = async (manager) => {
      await manager.insert(NameEntity, { name: 'a' });
      await manager.query('SET LOCAL synchronous_commit TO off');
    };

    await expect(commit(work)).rejects.toThrow('synchronous_commit');
    expect(await found()).toEqual(nothing);
  });

  it("given a statement that exceeds the client's timeout, and a decide that swallows the error, refuses", async () => {
    const impatient = await openNamesDatabase({ ...address, extra: { query_timeout: 500 } });
    const deciding = await TypeOrmLastResource.open(impatient, { log: new RecordingLog() });
    const refused = deciding.commit(details(), async (manager) => {
      await manager.query("INSERT INTO names SELECT 'late' FROM pg_sleep(1)").catch(() => undefined);
      await manager.insert(NameEntity, { name: 'a' });
    });

    await expect(refused).rejects.toMatchObject({ code: 'storage-busy' });
    expect(await found()).toEqual(nothing);
    await impatient.destroy();
  });
});
