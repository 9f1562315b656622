import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { AuditedTransactions, TRANSACTION_COLLECTIONS } from '../../../test/support/audited-transactions.js';
import { DocumentWorld, type DocumentWorldOptions, SNAPSHOT_PART } from '../../../test/support/document-world.js';
import { someOf } from '../../../test/support/long-form.js';
import { forEachSeed, SeededRandom } from '../../../test/support/seeded-random.js';
import { type DiskFault, SimulatedCrash } from '../../../test/support/simulated-disk.js';
import { DocumentMachine } from './document-machine.js';
import { TransactionMemory } from './transaction-memory.js';

const AT_ONCE = 4;
const PLANNED = ['EIO', 'ENOSPC', 'outcome-unknown', 'storage-full'];

interface Stage {
  readonly world: DocumentWorld;
  readonly transactions: AuditedTransactions;
}

/** A small size, so that a short incarnation takes several snapshots that contain transactions in doubt. */
async function begun(options: DocumentWorldOptions = {}): Promise<Stage> {
  const often = { snapshotEveryBytes: 2_000, clients: 2, moreCollections: TRANSACTION_COLLECTIONS };
  const world = new DocumentWorld({ ...often, ...options });
  await world.open();
  const transactions = new AuditedTransactions(world, new SeededRandom(options.seed ?? 1));
  await transactions.begin();
  return { world, transactions };
}

/** Customers and transactions beside each other. */
async function work({ world, transactions }: Stage, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await Promise.all([transactions.run(AT_ONCE), world.write(2)]);
  }
}

/** An incarnation that begins, works and ends, whatever its disk does. */
async function live(stage: Stage): Promise<void> {
  try {
    await stage.world.open();
    await work(stage, 4);
    await stage.transactions.recover();
    await stage.world.store.close();
  } catch (error) {
    if (!(error instanceof SimulatedCrash) && !PLANNED.includes((error as { code: string }).code)) throw error;
  }
}

/** Audits the state at the start, and again after all decisions. */
async function auditWhole({ world, transactions }: Stage): Promise<string[]> {
  const found = [...transactions.audit(), ...(await transactions.auditReservations())];
  await transactions.recover();
  const left = world.store.prepared().map(({ id }) => `${id} is in doubt for ever`);
  return [
    ...found,
    ...left,
    ...transactions.audit(),
    ...(await transactions.auditReservations()),
    ...(await world.audit()),
  ];
}

describe('transactions in the document store, when its process dies', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it.each<[string, DiskFault['code']]>([
    ['the process dies', 'killed'],
    ['the disk fails', 'EIO'],
    ['the disk is full', 'ENOSPC'],
  ])(
    'given that %s at any one disk call of an incarnation with snapshots, keep promises and decisions, and carry each out once',
    async (_, code) => {
      const whole = await begun();
      await whole.world.store.close();
      whole.world.disk.calls.length = 0;
      await live(whole);
      const { calls } = whole.world.disk;
      const count = calls.length;
      expect(calls.map(({ path }) => path)).toContainEqual(expect.stringMatching(SNAPSHOT_PART));

      const all = Array.from({ length: count }, (_call, index) => index + 1);
      for (const nth of someOf(all, count / 2)) {
        const stage = await begun();
        await work(stage, 1);
        await stage.world.store.close();
        stage.world.disk.plan({ nth, code });
        await live(stage);
        await stage.world.reopenAfterPowerLoss();

        expect({ nth, broken: await auditWhole(stage) }).toEqual({ nth, broken: [] });
      }
    },
    120_000,
  );

  it('given incarnations that end by loss of power at any moment, some without a recovery, keep them under any seed', async () => {
    let inDoubt = 0;
    await forEachSeed(1, 60, async (random) => {
      const stage = await begun({ seed: random.seed, journalReserveBytes: random.below(2) * 5_000 });
      for (let incarnation = 0; incarnation < 4; incarnation += 1) {
        stage.world.disk.plan({ nth: 1 + random.below(60), code: 'killed' });
        await work(stage, 4);
        await stage.world.reopenAfterPowerLoss();
        const { transactions, world } = stage;
        inDoubt += world.store.prepared().length;
        const isRecovering = random.below(2) === 0;
        const broken = isRecovering ? await auditWhole(stage) : transactions.audit();
        if (broken.length > 0) throw new Error(`incarnation ${String(incarnation)}: ${broken.join('; ')}`);
      }
    });
    expect(inDoubt).toBeGreaterThan(100);
  }, 120_000);

  it.each<[string, RegExp, () => void]>([
    ['forgets promises in its snapshots', /the promise of t\d+ is gone/, forgetPromisesInSnapshots],
    ['counts bumps when they are promised', /\d+ are done and \d+ are counted/, countAtThePromise],
    ['reserves nothing', /t\d+ is reserved: false/, reserveNothing],
  ])('given a machine that %s, fail the audit', async (_, finding, plant) => {
    plant();
    const found: string[] = [];
    await forEachSeed(1, 10, async ({ seed }) => {
      const stage = await begun({ seed });
      await work(stage, 4);
      await stage.world.store.close();
      await stage.world.open();
      found.push(...(await auditWhole(stage)));
    });

    expect(found).toContainEqual(expect.stringMatching(finding));
  });
});

function forgetPromisesInSnapshots(): void {
  const { capture } = DocumentMachine.prototype;
  jest.spyOn(DocumentMachine.prototype, 'capture').mockImplementation(function (this: DocumentMachine) {
    const captured = capture.call(this);
    return { ...captured, meta: { ...captured.meta, prepared: [] } };
  });
}

function countAtThePromise(): void {
  const { apply } = DocumentMachine.prototype;
  jest.spyOn(DocumentMachine.prototype, 'apply').mockImplementation(function (this: DocumentMachine, record) {
    const result = apply.call(this, record);
    if (record.op.type === 'prepare') this.collection('probes').counter += 1;
    if (record.op.type === 'commit') this.collection('probes').counter -= 1;
    return result;
  });
}

function reserveNothing(): void {
  jest.spyOn(TransactionMemory.prototype, 'holderOf').mockReturnValue(undefined);
}
