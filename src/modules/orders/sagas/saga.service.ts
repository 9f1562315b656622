import { AppError, type NextTurn } from '../../../kernel/index.js';
import type { SagaDefinition, SagaRelay } from '../../../protocols/saga/index.js';
import { type Checkout, CHECKOUT_STATES, type CheckoutState } from '../checkout/checkout.js';
import type { CheckoutRepository } from '../checkout/checkout.repository.js';
import { sagaResource } from './saga-resource.js';
import type { DrainReport, SagaResource, SagaState } from './saga.schemas.js';

export interface SagaPageRequest {
  readonly limit: number;
  /** Only ids greater than this; empty for all. */
  readonly after: string;
  readonly state?: SagaState | undefined;
}

export interface SagaPage {
  readonly sagas: readonly SagaResource[];
  readonly hasMore: boolean;
  readonly total: number;
}

/** Each has rows in three files. */
const SHOWN_AT_ONCE = 25;
const OTHER_STATES = CHECKOUT_STATES.filter((state) => state !== 'completed');

type Relay = Pick<SagaRelay, 'timeline' | 'openOf' | 'parked' | 'drain' | 'resume'>;

/** Shows sagas, and lets an operator press on with them. What it shows decides nothing. */
export class SagaService {
  constructor(
    private readonly checkouts: Pick<CheckoutRepository, 'page' | 'count' | 'countAll' | 'findById'>,
    private readonly relay: Relay,
    private readonly definition: SagaDefinition,
    private readonly nextTurn: NextTurn,
  ) {}

  async page({ limit, after, state }: SagaPageRequest): Promise<SagaPage> {
    const parked = new Set(this.parked());
    if (state === 'parked') return this.pageOf([...parked].filter((id) => id > after).sort(), limit, parked.size);
    // A parked saga is running in its row, and few are parked.
    const rows = this.checkouts.page({ after, limit: limit + 1 + parked.size, state });
    const ids = rows.map(({ operation }) => operation.id);
    if (state !== 'running') return this.pageOf(ids, limit, await this.total(state));
    return this.pageOf(
      ids.filter((id) => !parked.has(id)),
      limit,
      (await this.total(state)) - parked.size,
    );
  }

  /** Throws `not-found`. */
  find(id: string): SagaResource {
    return this.resourceOf(this.checkout(id));
  }

  /** Gives each event that is not in flight one try, parked ones too. */
  async recover(): Promise<DrainReport> {
    const before = this.parked();
    await this.relay.drain();
    const ended = before.filter((id) => this.checkouts.findById(id)?.state !== 'running');
    return { ended, parked: [...this.parked()] };
  }

  /** Gives the saga's event one try. Rejects with `not-found`, or with `conflict` when the saga has ended. */
  async resume(id: string): Promise<SagaResource> {
    const { number, state } = this.checkout(id);
    if (state !== 'running') throw new AppError('conflict', `saga ${id} has ended: ${state}`, { retry: 'never' });
    await this.relay.resume(number);
    return this.find(id);
  }

  private parked(): readonly string[] {
    return [...new Set(this.relay.parked.map(({ saga }) => saga.id))];
  }

  /** Nearly all sagas are completed, so those have no index, and what is left of all is their number. */
  private async total(state: CheckoutState | undefined): Promise<number> {
    if (state !== undefined && state !== 'completed') return this.checkouts.count(state);
    let total = 0;
    for (const count of this.checkouts.countAll()) {
      total += count;
      await this.pause();
    }
    if (state === undefined) return total;
    return OTHER_STATES.reduce((rest, other) => rest - this.checkouts.count(other), total);
  }

  /** A saga that is forgotten meanwhile is left out. */
  private async pageOf(ids: readonly string[], limit: number, total: number): Promise<SagaPage> {
    const sagas: SagaResource[] = [];
    for (const [index, id] of ids.slice(0, limit).entries()) {
      if (index % SHOWN_AT_ONCE === SHOWN_AT_ONCE - 1) await this.pause();
      const checkout = this.checkouts.findById(id);
      if (checkout) sagas.push(this.resourceOf(checkout));
    }
    return { sagas, hasMore: ids.length > limit, total };
  }

  private pause(): Promise<void> {
    return new Promise(this.nextTurn);
  }

  private checkout(id: string): Checkout {
    const checkout = this.checkouts.findById(id);
    if (checkout) return checkout;
    throw new AppError('not-found', `saga ${id} is unknown, or was forgotten`, { retry: 'never' });
  }

  private resourceOf(checkout: Checkout): SagaResource {
    const { relay, definition } = this;
    const { number } = checkout;
    return sagaResource({ checkout, timeline: relay.timeline(number), open: relay.openOf(number), definition });
  }
}
