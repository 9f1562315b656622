import { describeLastResourceContract } from '../contracts/last-resource-contract.js';
import { describeSwallowedErrors } from '../contracts/swallowed-errors-contract.js';
import { describeOnPostgres } from '../support/postgres-server.js';
import { typeOrmLastResourceUnderTest } from '../support/typeorm-last-resource-under-test.js';

const NAME = 'TypeOrmLastResource on PostgreSQL';

describeOnPostgres('with a server of its own,', (server) => {
  const open = async () => typeOrmLastResourceUnderTest(await server().newDatabase(), () => undefined);

  describeLastResourceContract(NAME, open);
  describeSwallowedErrors(NAME, open, { swallowed: 'refused' });
});
