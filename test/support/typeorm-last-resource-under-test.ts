import { type DataSource, type DataSourceOptions } from 'typeorm';
import { TypeOrmLastResource, type TypeOrmWork } from '../../src/protocols/two-phase-commit/index.js';
import { NameEntity, openNamesDatabase, taking } from './names-database.js';
import { RecordingLog } from './recording-log.js';

/** For the contract of the last resource, on any database. */
export async function typeOrmLastResourceUnderTest(connection: DataSourceOptions, closed: () => void) {
  const names = new Map<TypeOrmWork, string>();
  const workOn = (name: string): TypeOrmWork => {
    const work: TypeOrmWork = taking(name);
    names.set(work, name);
    return work;
  };
  const refused: TypeOrmWork = async (manager) => {
    await manager.insert(NameEntity, { name: 'half' });
    return manager.insert(NameEntity, { name: 'taken' });
  };
  names.set(refused, 'half');
  let dataSource: DataSource;
  let lastResource: TypeOrmLastResource;
  const open = async (): Promise<void> => {
    dataSource = await openNamesDatabase(connection);
    lastResource = await TypeOrmLastResource.open(dataSource, { log: new RecordingLog() });
  };
  const close = async (): Promise<void> => {
    await lastResource.close();
    await dataSource.destroy();
  };
  await open();
  return {
    dataSource: () => dataSource,
    lastResource: () => lastResource,
    work: () => workOn(`name ${names.size}`),
    refusedWork: () => refused,
    resultOf: (work: TypeOrmWork) => `result of ${names.get(work)}`,
    timesDone: (work: TypeOrmWork) => dataSource.manager.countBy(NameEntity, { name: names.get(work)! }),
    reopen: async () => {
      await close();
      await open();
    },
    close: async () => {
      await close();
      closed();
    },
  };
}
