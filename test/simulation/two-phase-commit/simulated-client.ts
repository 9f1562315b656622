import { AppError, isAppError } from '../../../src/kernel/index.js';
import type { DocumentWork } from '../../../src/protocols/two-phase-commit/index.js';
import type { Concern } from '../replication/cluster.js';
import type { Request } from './story.js';
import type { ServedWorld } from './served-world.js';

type Changes = DocumentWork['changes'];

/** Few enough that clients clash. */
export const USER_IDS = Array.from({ length: 40 }, (_, index) => `user-${index}`);
const BOOK: Changes = [{ type: 'bump', collection: 'customers' }];

/** Sends one request after the other and reports each answer to the audit. A connection ends with the process. */
export class SimulatedClient {
  constructor(private readonly world: ServedWorld) {}

  start(): void {
    const { world } = this;
    world.queue.after(world.random.below(2 * world.pauseMs), () => {
      if (world.areFaultsOver) return;
      if (!world.app.isServing) {
        this.start();
        return;
      }
      let isWaiting = true;
      const next = (): void => {
        if (isWaiting) this.start();
        isWaiting = false;
      };
      world.app.incarnation.whenOver(next);
      void this.request().then(next, (error: unknown) => {
        world.audit.violate(`P8: a client met ${String(error)}`);
      });
    });
  }

  private request(): Promise<void> {
    const { random } = this.world;
    const chance = random.fraction();
    if (chance < 0.5) return this.transact('books', this.title(), BOOK);
    if (chance < 0.8) {
      const id = this.userId();
      return this.transact('users', id, [{ type: 'create', collection: 'users', id, fields: { of: 'both stores' } }]);
    }
    return this.writeDocument();
  }

  private userId(): string {
    return USER_IDS[this.world.random.below(USER_IDS.length)]!;
  }

  /** Sometimes an existing key: SQL refuses it after the documents have promised. */
  private title(): string {
    const { world } = this;
    return `book-${world.random.chance(0.07) ? world.random.below(world.writes + 1) : (world.writes += 1)}`;
  }

  private async transact(table: Request['work']['table'], key: string, changes: Changes): Promise<void> {
    const { world } = this;
    const { app, audit, met, random } = world;
    const withLedger = world.ledger !== undefined && random.chance(0.6);
    const concern = this.concern();
    const work = { table, key };
    const participants = withLedger ? (['documents', 'ledger'] as const) : (['documents'] as const);
    const [id, answer] = world.beginning({ work, participants, concern, incarnation: app.connection.incarnation }, () =>
      app.coordinator!.execute<string>({
        kind: table === 'books' ? 'books-2pc' : 'users-2pc',
        branches: app.branches({ changes, concern }, withLedger),
        decide: work,
      }),
    );
    try {
      const outcome = await answer;
      met.note(`answered ${outcome.state}`);
      audit.answered(id, outcome);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      met.note(`answered ${error.code}`);
      if (error.code !== 'outcome-unknown') audit.refused(id, error);
    }
  }

  private async writeDocument(): Promise<void> {
    const { world } = this;
    const { random, met } = world;
    const store = world.app.store!;
    const operation = { id: `write-${(world.writes += 1)}` };
    const fields = { number: world.writes };
    const some = 1 + random.below(Math.max(1, world.audit.model.sizeOf('customers')));
    try {
      if (random.chance(0.15)) await store.createAt('users', this.userId(), fields, operation);
      else if (random.chance(0.6)) await store.create('customers', fields, operation);
      else if (random.chance(0.5)) await store.replace('customers', some, fields, operation);
      else await store.delete('customers', some, operation);
    } catch (error) {
      if (!isAppError(error)) throw error;
      met.note(`document write ${error.code}`);
    }
  }

  private concern(): Concern {
    const { random } = this.world;
    if (random.chance(0.1)) return 'primary';
    return random.chance(0.75) ? 'all' : 'majority';
  }
}
