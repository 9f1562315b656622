import { join } from 'node:path';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { sqliteFile } from '../support/names-database.js';
import { typeOrmLastResourceUnderTest } from '../support/typeorm-last-resource-under-test.js';
import { describeLastResourceContract } from './last-resource-contract.js';
import { describeSwallowedErrors } from './swallowed-errors-contract.js';

const NAME = 'TypeOrmLastResource on a SQLite file';
const open = () => {
  const directory = temporaryDirectory();
  return typeOrmLastResourceUnderTest(sqliteFile(join(directory, 'names.db')), () => {
    removeDirectory(directory);
  });
};

describeLastResourceContract(NAME, open);
describeSwallowedErrors(NAME, open, { swallowed: 'committed' });
