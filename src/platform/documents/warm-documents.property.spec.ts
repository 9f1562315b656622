import { describe, expect, it } from '@jest/globals';
import { DOCUMENTS, DOCUMENTS_DIRECTORY, DocumentWorld } from '../../../test/support/document-world.js';
import { PROMPT_TIMERS } from '../../../test/support/prompt-timers.js';
import { RecordingLog } from '../../../test/support/recording-log.js';
import { RecordingProcessControl } from '../../../test/support/recording-process-control.js';
import { forEachSeed, type SeededRandom } from '../../../test/support/seeded-random.js';
import { SimulatedClock } from '../../../test/support/simulated-clock.js';
import { SimulatedCrash, SimulatedDisk } from '../../../test/support/simulated-disk.js';
import { isAppError } from '../../kernel/index.js';
import { NO_CRASH_SITES } from '../crash-sites/index.js';
import { type DocumentsAhead, DocumentStore, WarmDocuments } from './index.js';

const OPTIONS = {
  directory: DOCUMENTS_DIRECTORY,
  collections: [DOCUMENTS],
  snapshotEveryBytes: 1_500,
  journalReserveBytes: 0,
};
const CLIENTS = 3;
const UNFIT = 'the documents that were read ahead do not fit the files, which are read again';

/** All that can be seen of an opening: its state, what later steps depend on, and the files that it leaves. */
async function openingOf(image: ReadonlyMap<string, Buffer>, ahead?: DocumentsAhead): Promise<[unknown, RecordingLog]> {
  const disk = new SimulatedDisk(undefined, image);
  const log = new RecordingLog();
  const ports = {
    ...{ disk: disk.attach(), crashSites: NO_CRASH_SITES, log, clock: new SimulatedClock() },
    ...{ random: { bytes: (length: number) => new Uint8Array(length) }, nextTurn: setImmediate },
    ...{ timers: PROMPT_TIMERS, process: new RecordingProcessControl() },
  };
  const files = (): unknown => [...disk.image()].map(([path, bytes]) => [path, bytes.toString('latin1')]).sort();
  try {
    const store = await DocumentStore.open(ports, OPTIONS, ahead);
    const { position } = store;
    const places = Array.from({ length: position.seq + 2 }, (_, seq) => `${String(position.epoch)}.${String(seq)}`);
    const stateHash = await store.history.captureState().stateHash();
    const opened = {
      ...{ position, stateHash, prepared: store.prepared(), carriedOut: store.carriedOut() },
      ...{ documents: store.page('customers', 0, Infinity), nextId: store.nextId('customers') },
      ...{ held: [...store.heldKeys()], firstSeq: store.history.firstSeq },
      forgotten: places.filter((place) => store.hasForgotten(place)),
      mayHavePrepared: places.filter((place) => store.mayHavePrepared('t1', place)),
    };
    const filesThen = files();
    await store.startEpoch({ epoch: position.epoch + 1, clusterId: 'c', primaryId: 'p' });
    for (let count = 0; count < 12; count += 1) {
      await store.create('customers', { name: `later ${String(count)}` }, { id: `o${String(count)}` });
    }
    await store.close();
    return [{ opened, filesThen, position: store.position, files: files() }, log];
  } catch (error) {
    if (!isAppError(error)) throw error;
    return [{ code: error.code, message: error.message, files: files() }, log];
  }
}

class Run {
  readonly world: DocumentWorld;
  readonly warm: WarmDocuments;
  private next = 0;
  private isOver = false;

  constructor(private readonly random: SeededRandom) {
    this.world = new DocumentWorld({ seed: random.seed, clients: CLIENTS, snapshotEveryBytes: 1_500 });
    const ports = { disk: this.world.disk.attachReader(), nextTurn: setImmediate, crashSites: NO_CRASH_SITES };
    this.warm = new WarmDocuments(ports, OPTIONS);
  }

  /** One incarnation that ends in some way, while the reader looks on. */
  async live(): Promise<void> {
    this.isOver = false;
    const looking = this.lookOn();
    const { disk } = this.world;
    try {
      await this.world.open();
      if (this.random.chance(0.7)) disk.plan({ nth: 1 + this.random.below(90), code: 'killed' });
      if (this.random.chance(0.3)) {
        disk.plan({ nth: 1 + this.random.below(30), operation: 'write', in: '.log', code: 'ENOSPC' });
      }
      await Promise.all([this.world.write(this.random.below(15)), this.transact(this.random.below(8))]);
      if (this.random.chance(0.5)) await this.world.store.close();
    } catch (error) {
      if (!(error instanceof SimulatedCrash) && !isAppError(error)) throw error;
    }
    disk.kill();
    this.isOver = true;
    await looking;
  }

  private async transact(count: number): Promise<void> {
    const { store } = this.world;
    for (let left = count; left > 0; left -= 1) {
      this.next += 1;
      const id = `t${String(this.next)}`;
      const head = { id, kind: 'books-2pc', decidedBy: 'database', incarnation: 1 };
      const change = this.random.chance(0.5)
        ? ({ type: 'bump', collection: 'customers' } as const)
        : ({ type: 'create', collection: 'customers', id: 1_000 + this.next, fields: { name: id } } as const);
      await store.prepare(head, [change]);
      const end = this.random.fraction();
      if (end < 0.6) await store.commitPrepared(id);
      else if (end < 0.85) await store.abortPrepared(id);
    }
  }

  private async lookOn(): Promise<void> {
    while (!this.isOver) {
      await this.warm.look();
      for (let turns = this.random.below(20); turns > 0; turns -= 1) await new Promise(setImmediate);
    }
  }
}

describe('documents that were read ahead', () => {
  it('given any history, any deaths and any moment, open with the same state and files as documents that were not', async () => {
    let read = 0;
    await forEachSeed(1, 150, async (random) => {
      const run = new Run(random);
      for (let lives = 1 + random.below(4); lives > 0; lives -= 1) await run.live();
      const image = run.world.disk.image();
      const ahead = await run.warm.take();
      const [cold] = await openingOf(image);
      const [warm, log] = await openingOf(image, ahead);

      expect(warm).toEqual(cold);
      if (ahead !== undefined) read += 1;
      expect(log.warnings).not.toContain(UNFIT);
    });

    // Otherwise the comparison would say nothing.
    expect(read).toBeGreaterThan(100);
  });
});
