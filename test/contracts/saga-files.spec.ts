import { afterAll, beforeAll, describe } from '@jest/globals';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { SagaShop } from '../support/saga-shop.js';
import { copyOf, emptyState, type FileState } from '../simulation/saga/shop-model.js';
import { SimulatedFile } from '../simulation/saga/simulated-file.js';
import { REAL } from '../simulation/saga/variant.js';
import { testsOfSagaFiles } from './saga-file-contract.js';

const MOVED = ['credit', 'held', 'charged', 'stock', 'sold'];

describe('the files of a saga in SQL', () => {
  let directory: string;
  let shop: SagaShop;

  beforeAll(async () => {
    directory = temporaryDirectory();
    shop = await SagaShop.open(directory);
  });

  afterAll(async () => {
    await shop.close();
    removeDirectory(directory);
  });

  testsOfSagaFiles(() => ({
    file: (participant) => Object.values(shop.files).find((file) => file.participant === participant)!,
    counts: () => Object.fromEntries(Object.entries(shop.counts()).filter(([name]) => MOVED.includes(name))),
    fill: (counts) => shop.fill(counts),
    data: {},
  }));
});

describe('the simulated files of a saga', () => {
  const states: Record<string, FileState> = { orders: emptyState(), payment: emptyState(), stock: emptyState() };
  const world = {
    ...{ variant: REAL, nowMs: () => 0, isFull: () => false, mayDie: () => undefined },
    after: (_: number, task: () => void) => {
      setImmediate(task);
      return () => undefined;
    },
    durable: (name: string, state: FileState) => {
      states[name] = state;
    },
  };
  const files = Object.keys(states).map((name) => new SimulatedFile(name, copyOf(states[name]!), world));

  testsOfSagaFiles(() => ({
    file: (participant) => files.find((file) => file.participant === participant)!,
    counts: () => {
      const { credit, held, charged } = states['payment']!.accounts.get('u')!;
      const { stock, sold } = states['stock']!.items.get('i')!;
      return { credit, held, charged, stock, sold };
    },
    fill: ({ credit, stock }) =>
      new Promise<void>((resolve) => {
        for (const file of files) {
          file.run(
            ({ accounts, items }) => {
              accounts.set('u', { credit, held: 0, charged: 0, funded: credit });
              items.set('i', { stock, sold: 0, delivered: stock });
            },
            () => {
              if (file === files.at(-1)) resolve();
            },
            () => undefined,
          );
        }
      }),
    data: { order: 'o', user: 'u', lines: [['i', 1]], total: 1 },
  }));
});
