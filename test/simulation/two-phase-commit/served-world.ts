import type { SeededRandom } from '../../support/seeded-random.js';
import type { TransactionId } from '../../../src/protocols/two-phase-commit/index.js';
import type { EventQueue } from '../replication/event-queue.js';
import type { Audit } from './audit.js';
import type { Coverage } from './coverage.js';
import type { SimulatedApp } from './simulated-app.js';
import type { SimulatedLedger } from './simulated-ledger.js';
import type { Request } from './story.js';

/** The part of the world that clients and operators know. */
export interface ServedWorld {
  readonly queue: EventQueue;
  readonly random: SeededRandom;
  readonly met: Coverage;
  readonly audit: Audit;
  readonly ledger: SimulatedLedger | undefined;
  readonly app: SimulatedApp;
  readonly areFaultsOver: boolean;
  /** The average time between two requests of one client. */
  readonly pauseMs: number;
  /** The number of writes so far, which also numbers their content. */
  writes: number;
  /** Connects the transaction that `begin` begins with this request. */
  beginning<T>(request: Request, begin: () => T): readonly [id: TransactionId, begun: T];
}
