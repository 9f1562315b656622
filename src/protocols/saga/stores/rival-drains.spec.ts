import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { removeDirectory, temporaryDirectory } from '../../../../test/support/app-process.js';
import { RecordingProcessControl } from '../../../../test/support/recording-process-control.js';
import { SagaShop } from '../../../../test/support/saga-shop.js';

/** Two incarnations drain the same files at once, as with a lock that always says yes. */
describe('an incarnation that was stopped, and drains together with its successor', () => {
  const SAGAS = 2;
  let directory: string;
  let shops: SagaShop[];

  beforeEach(() => {
    directory = temporaryDirectory();
    shops = [];
  });

  afterEach(async () => {
    for (const shop of shops) await shop.close();
    removeDirectory(directory);
  });

  it.each(['take', 'capture', 'mark-paid'])(
    'given sagas that wait for %s, does each step once, and writes nothing itself',
    async (stuck) => {
      const control = new RecordingProcessControl();
      let isStuck = true;
      const former = await SagaShop.open(directory, {
        database: { process: control },
        before: (step) => (isStuck && step === stuck ? { later: 'held by the test' } : undefined),
      });
      shops.push(former);
      await former.relay.start(() => false);
      for (let begun = 0; begun < SAGAS; begun += 1) await former.begin();
      await former.relay.atRest();

      const successor = await SagaShop.open(directory);
      shops.push(successor);
      isStuck = false;
      await Promise.all([former.relay.drain(), successor.relay.drain()]);

      const once = Object.fromEntries(
        ['authorise', 'take', 'capture', 'mark-paid'].map((step) => [`${step} ran`, SAGAS]),
      );
      expect(successor.counts()).toMatchObject({ ...once, charged: SAGAS, sold: SAGAS });
      expect(control.stops.map(({ reason }) => reason)).toContain('another process has taken over the database');
    },
  );
});
