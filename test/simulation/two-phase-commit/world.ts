import { SeededRandom } from '../../support/seeded-random.js';
import type { RecoveryReport, TransactionId } from '../../../src/protocols/two-phase-commit/index.js';
import { EventQueue } from '../replication/event-queue.js';
import { Violation } from '../replication/oracles.js';
import type { Crash } from '../replication/simulated-store.js';
import { Audit } from './audit.js';
import { Coverage } from './coverage.js';
import { DocumentCluster } from './document-cluster.js';
import { SimulatedApp, type AppWorld } from './simulated-app.js';
import { type DatabaseFile, SimulatedDatabase } from './simulated-database.js';
import type { JournalRoom } from './simulated-history.js';
import { SimulatedLedger } from './simulated-ledger.js';
import type { Request, Story } from './story.js';
import type { Variant } from './variant.js';

/** The limit after the last fault until all transactions are decided and carried out. */
const SETTLE_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 100;
/** A day in 2026. */
const BEGINNING_MS = 1_780_000_000_000;

/** Resolves when no settled promise has work left: Node ticks after the last microtask. */
const turn = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

/** One simulated app with its stores and its supervisor. */
export class World implements AppWorld {
  readonly queue = new EventQueue();
  readonly random: SeededRandom;
  readonly met = new Coverage();
  readonly audit: Audit;
  readonly cluster: DocumentCluster;
  readonly database: SimulatedDatabase;
  readonly ledger: SimulatedLedger | undefined;
  readonly wallClock = { nowMs: (): number => BEGINNING_MS + this.clockOffsetMs + this.queue.nowMs };
  clockOffsetMs = 0;
  room: JournalRoom = 'plenty';
  areFaultsOver = false;
  app: SimulatedApp;
  /** The app dies when it passes `site` for the `count`-th time from now. */
  ambush: { readonly site: string; count: number } | undefined;
  /** The average time between two requests of one client. */
  readonly pauseMs: number;
  /** The number of writes so far, which also numbers their content. */
  writes = 0;
  private ids = 0;
  private isStirred = false;
  private request: Request | undefined;
  private began = '';
  /** The newer database while an older copy replaces it. */
  private newest: DatabaseFile | undefined;

  constructor(
    seed: number,
    readonly variant: Variant,
  ) {
    const { queue } = this;
    const random = (this.random = new SeededRandom(seed));
    this.audit = new Audit({ lackOf: this.lackOf.bind(this) }, this.met);
    this.database = new SimulatedDatabase(random.chance(0.7) ? 'embedded' : 'server', this.audit, queue, random);
    this.cluster = new DocumentCluster(queue, random, random.chance(0.5), variant.newMachine, {
      primaryDurable: () => {
        this.app.documentsDurable();
      },
      primaryEnded: () => {
        this.appEnded(this.app, 'kill', 'it was superseded');
      },
    });
    if (random.chance(0.4)) {
      this.ledger = new SimulatedLedger(queue, random, this.audit, variant.ledgerKeepsTombstones);
    }
    this.pauseMs = 40 + random.below(200);
    this.app = new SimulatedApp(this);
  }

  stir(): void {
    this.isStirred = true;
  }

  reached(site: string): void {
    const { ambush } = this;
    if (ambush?.site !== site) return;
    ambush.count -= 1;
    if (ambush.count > 0) return;
    this.ambush = undefined;
    this.appEnded(this.app, this.random.chance(0.5) ? 'kill' : 'power', site);
  }

  /** The request of the transaction that is beginning now. */
  newId(): TransactionId {
    this.ids += 1;
    const id = `t-${String(this.ids).padStart(4, '0')}`;
    this.audit.begin(id, this.request!);
    this.began = id;
    return id;
  }

  /** Connects the transaction that `begin` begins with this request. */
  beginning<T>(request: Request, begin: () => T): readonly [id: TransactionId, begun: T] {
    this.request = request;
    const begun = begin();
    this.request = undefined;
    return [this.began, begun];
  }

  appServes(report: RecoveryReport): void {
    this.met.noteRecovery(report);
    if (this.newest) {
      const missed = [...this.audit.stories.values()].find((story) => this.mustRefuse(story));
      if (missed) this.audit.violate(`P2: an app serves on an older database, which lacks the row of ${missed.id}`);
    }
    this.newest = undefined;
  }

  appEnded(app: SimulatedApp, how: Crash, why: string): void {
    if (!app.incarnation.isAlive || app !== this.app) return;
    this.met.note(`ended: ${why}`);
    app.end(how);
    this.queue.after(50 + this.random.below(400), () => {
      this.app = new SimulatedApp(this);
    });
  }

  appRefused(app: SimulatedApp): void {
    this.met.note('refused to start');
    if (!this.newest) {
      this.audit.violate('P7: an app refuses to start on consistent stores');
      return;
    }
    this.appEnded(app, 'kill', 'it refused to start');
    this.database.replaceBy(this.newest);
    this.audit.databaseRestored();
    this.newest = undefined;
  }

  /** Replaces the database by an older copy while the app is down. */
  putDatabaseBack(copy: DatabaseFile): void {
    this.appEnded(this.app, 'kill', 'its database was put back');
    this.newest ??= this.database.copy();
    this.audit.databasePutBack(this.database.copy(), copy);
    this.database.replaceBy(copy);
  }

  async runUntil(atMs: number): Promise<void> {
    while (this.queue.runNext(atMs)) {
      if (this.isStirred) {
        this.isStirred = false;
        await turn();
      }
      if (this.audit.violation !== undefined) throw new Violation(this.audit.violation);
    }
    this.queue.runUntil(atMs);
  }

  /** Ends the faults: after one more start all transactions must be decided and carried out. Returns the time this took. */
  async settle(): Promise<number> {
    this.areFaultsOver = true;
    this.appEnded(this.app, 'kill', 'the last start');
    const beganMs = this.queue.nowMs;
    while (this.unrest() !== undefined) {
      if (this.queue.nowMs - beganMs > SETTLE_WITHIN_MS) throw new Violation(`liveness: ${this.unrest() ?? 'at rest'}`);
      await this.runUntil(this.queue.nowMs + LOOK_EVERY_MS);
    }
    return this.queue.nowMs - beganMs;
  }

  /** Every commit that the documents' history still shows needs its row. */
  private mustRefuse({ documents, decidedSeq, lost }: Story): boolean {
    const isShown = documents === 'committed' && decidedSeq! > this.cluster.primaryStore.snapshotSeq;
    return lost?.row === 'committed' && isShown;
  }

  /** Names a missing promise of a commit; undefined when all of them are durable. */
  private lackOf({ id, participants, concern, promisedSeq }: Story): string | undefined {
    const { replicas, minInSync } = this.cluster;
    if (promisedSeq === undefined) return 'the documents’';
    const holders = replicas.filter(({ store }) => store.durable >= promisedSeq).length;
    if (concern !== 'primary' && holders < minInSync) return `the documents’ is on ${holders} replicas`;
    return participants.includes('ledger') && this.ledger?.stateOf(id) !== 'prepared' ? 'the ledger’s' : undefined;
  }

  private unrest(): string | undefined {
    const { app, cluster, database, ledger } = this;
    if (!app.isServing) return 'the app does not serve';
    const inDoubt = [...app.store!.prepared(), ...(ledger?.inDoubt() ?? [])].map(({ id }) => id);
    if (inDoubt.length > 0) return `in doubt: ${inDoubt.join()}`;
    const open = [...database.rows.values()].filter(({ completedAtMs }) => completedAtMs === undefined);
    if (open.length > 0) return `not completed: ${open.map(({ id, decision }) => `${id} ${decision}`).join()}`;
    const { core, store } = app.primary;
    const behind = cluster.replicas.filter((replica) => replica.store.durable !== store.durable);
    const isInSync = core?.replicas.every(({ condition }) => condition === 'in-sync') === true;
    return isInSync && behind.length === 0 ? undefined : 'the replicas are not in sync';
  }
}
