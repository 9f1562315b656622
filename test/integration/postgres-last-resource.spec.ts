import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describeLastResourceContract } from '../contracts/last-resource-contract.js';
import { describeSwallowedErrors } from '../contracts/swallowed-errors-contract.js';
import { HAS_POSTGRES, PostgresServer } from '../support/postgres-server.js';
import { typeOrmLastResourceUnderTest } from '../support/typeorm-last-resource-under-test.js';

const NAME = 'TypeOrmLastResource on PostgreSQL';

if (!HAS_POSTGRES) {
  describe(NAME, () => {
    it('is not looked at, as this machine has no PostgreSQL, which the run has said above; CI must have one', () => {
      expect(process.env['CI'] ?? '').toBe('');
    });
  });
} else {
  describe('with a PostgreSQL of its own,', () => {
    let server: PostgresServer;

    beforeAll(async () => {
      server = await PostgresServer.start();
    });

    afterAll(() => server.stop());

    const open = async () => typeOrmLastResourceUnderTest(await server.newDatabase(), () => undefined);

    describeLastResourceContract(NAME, open);
    describeSwallowedErrors(NAME, open, { swallowed: 'refused' });
  });
}
