import type { SeededRandom } from '../../support/seeded-random.js';
import type { TransactionId } from '../../../src/protocols/two-phase-commit/index.js';
import type { EventQueue } from '../replication/event-queue.js';
import type { Audit } from './audit.js';
import type { Coverage } from './coverage.js';
import type { SimulatedApp } from './simulated-app.js';
import type { SimulatedLedger } from './simulated-ledger.js';
import type { Request } from './story.js';

/** What clients and operators know of the world that they live in. */
export interface ServedWorld {
  readonly queue: EventQueue;
  readonly random: SeededRandom;
  readonly met: Coverage;
  readonly audit: Audit;
  readonly ledger: SimulatedLedger | undefined;
  readonly app: SimulatedApp;
  readonly areFaultsOver: boolean;
  /** Between two requests of one client; on average. */
  readonly pauseMs: number;
  /** Made so far by clients, and numbers for what they write. */
  writes: number;
  /** What `begin` begins is the transaction of this request. */
  beginning<T>(request: Request, begin: () => T): readonly [id: TransactionId, begun: T];
}
