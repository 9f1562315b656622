import { isAppError } from '../../src/kernel/index.js';
import type { CollectionDeclaration, DocumentStore, PreparedChange } from '../../src/platform/documents/index.js';
import type { DocumentWorld } from './document-world.js';
import { SimulatedCrash } from './simulated-disk.js';
import type { SeededRandom } from './seeded-random.js';

/** For `DocumentWorldOptions.moreCollections`. */
export const TRANSACTION_COLLECTIONS: readonly CollectionDeclaration[] = [
  { name: 'probes', counterField: 'count' },
  { name: 'users', ids: 'text' },
];

/** What was told and answered. `asked` without `answered`: it may or may not be done. */
interface Told {
  promise: 'asked' | 'answered' | 'refused';
  row: 'committed' | 'aborted' | undefined;
  telling: 'not asked' | 'asked' | 'answered';
  /** Of the commit, as JSON. */
  acknowledgement: string | undefined;
}

/**
 * Transactions on one document store over many processes, with a coordinator that never forgets its rows: each adds one
 * to a probe's counter and creates a user under its own id. It holds the store to what that has answered.
 */
export class AuditedTransactions {
  private readonly known = new Map<string, Told>();
  private readonly broken: string[] = [];

  constructor(
    private readonly world: DocumentWorld,
    private readonly random: SeededRandom,
  ) {}

  /** Before all others: the document that counts. */
  async begin(): Promise<void> {
    await this.world.store.createAt('probes', 1, {}, { id: 'the probe' });
  }

  /** So many at once, each as far as it gets: some are left in doubt. */
  async run(count: number): Promise<void> {
    const { store, process } = this.world;
    await Promise.all(
      Array.from({ length: count }, async () => {
        const id = `t${String(this.known.size)}`;
        await this.answered(() => this.runOne(store, id, () => process.isStopped));
      }),
    );
  }

  /** Decides what is in doubt: as its row says, or the row says `aborted` from now on. Then nothing is in doubt. */
  async recover(): Promise<void> {
    const { store } = this.world;
    for (const { id } of store.prepared()) {
      const told = this.known.get(id);
      if (told) await this.notify(store, id, told, (told.row ??= 'aborted'));
    }
  }

  /** One sentence for each thing that is not as it was answered. */
  audit(): string[] {
    const { store } = this.world;
    const prepared = new Set(store.prepared().map(({ id }) => id));
    const state: string[] = [];
    let done = 0;
    for (const [id, { promise, row, telling }] of this.known) {
      const isPrepared = prepared.delete(id);
      const isThere = store.find('users', id) !== undefined;
      if (isThere) done += 1;
      const isPromised = promise === 'answered';
      if (isPrepared && isThere) state.push(`${id} is in doubt and done`);
      if (isPrepared && (promise === 'refused' || telling === 'answered')) state.push(`${id} is in doubt again`);
      if (isThere && (row !== 'committed' || telling === 'not asked')) state.push(`${id} is done and nobody said so`);
      if (isPromised && !isPrepared && telling === 'not asked') state.push(`the promise of ${id} is gone`);
      const mustBeThere = isPromised && row === 'committed' && !isPrepared && telling !== 'not asked';
      if (mustBeThere && !isThere) state.push(`${id} was committed and is gone`);
    }
    const counted = Number(store.find('probes', 1)?.['count']);
    if (counted !== done) state.push(`${String(done)} are done and ${String(counted)} are counted`);
    if (prepared.size > 0) state.push(`nobody has asked for ${[...prepared].join(', ')}`);
    return [...this.broken, ...state];
  }

  /** Whether the ids of those in doubt are kept from others, and all others are not. Writes nothing that stays. */
  async auditReservations(): Promise<string[]> {
    const { store } = this.world;
    const prepared = new Set(store.prepared().map(({ id }) => id));
    const state = [...this.known.keys()].map(async (id) => {
      const write = await store.replace('users', id, {}, { id: `look at ${id}` }, () => false);
      const isReserved = !write.done && write.refusal === 'reserved';
      return isReserved === prepared.has(id) ? [] : [`${id} is reserved: ${String(isReserved)}`];
    });
    return (await Promise.all(state)).flat();
  }

  private async runOne(store: DocumentStore, id: string, isStopped: () => boolean): Promise<void> {
    const told: Told = { promise: 'asked', row: undefined, telling: 'not asked', acknowledgement: undefined };
    this.known.set(id, told);
    const changes: readonly PreparedChange[] = [
      { type: 'bump', collection: 'probes' },
      { type: 'create', collection: 'users', id, fields: { by: id } },
    ];
    const dice = this.random.below(10);
    const preparing = store
      .prepare({ id, kind: 'test', decidedBy: 'rows', incarnation: 1 }, changes)
      .catch((error: unknown) => {
        if (!isAppError(error, 'storage-full')) throw error;
        return { prepared: false };
      });
    if (dice === 0) {
      told.row = 'aborted';
      const aborting = this.notify(store, id, told, 'aborted');
      await Promise.all([preparing, aborting]);
      return;
    }
    const { prepared } = await preparing;
    if (isStopped()) return;
    told.promise = prepared ? 'answered' : 'refused';
    if (!prepared || dice === 1) return;
    told.row = dice < 4 ? 'aborted' : 'committed';
    if (dice !== 9) await this.notify(store, id, told, told.row);
  }

  /** Sometimes twice at once; the same each time. */
  private async notify(store: DocumentStore, id: string, told: Told, decision: 'committed' | 'aborted'): Promise<void> {
    const { process } = this.world;
    told.telling = told.telling === 'answered' ? 'answered' : 'asked';
    const once = (): Promise<unknown> =>
      decision === 'committed' ? store.commitPrepared(id) : store.abortPrepared(id);
    const acknowledgements = await Promise.all(Array.from({ length: 1 + this.random.below(2) }, once));
    if (process.isStopped) return;
    told.telling = 'answered';
    for (const acknowledgement of acknowledgements.map((each) => JSON.stringify(each))) {
      if ((told.acknowledgement ??= acknowledgement) !== acknowledgement)
        this.broken.push(`${id} got ${acknowledgement} after ${told.acknowledgement}`);
    }
  }

  private async answered(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      const isPlanned = ['EIO', 'ENOSPC', 'outcome-unknown', 'storage-full', 'shutting-down'];
      if (!(error instanceof SimulatedCrash) && !isPlanned.includes((error as { code: string }).code)) throw error;
    }
  }
}
