import { isAppError } from '../../../src/kernel/index.js';
import { DocumentStore } from '../../../src/platform/documents/index.js';
import {
  branch,
  type Branch,
  DocumentParticipant,
  type DocumentWork,
  type Participant,
  type Acknowledgement,
  type RecoveryReport,
  TransactionCoordinator,
  type TransactionId,
} from '../../../src/protocols/two-phase-commit/index.js';
import type { SimulatedPrimary } from '../replication/simulated-primary.js';
import type { Crash } from '../replication/simulated-store.js';
import type { Audit } from './audit.js';
import { DatabaseConnection } from './database-connection.js';
import { COLLECTIONS, type DocumentCluster } from './document-cluster.js';
import { LedgerParticipant } from './ledger-participant.js';
import { SimulatedConfirmer } from './simulated-confirmer.js';
import type { SimulatedDatabase, SqlWork } from './simulated-database.js';
import { type JournalRoom, SimulatedHistory } from './simulated-history.js';
import type { SimulatedLedger } from './simulated-ledger.js';
import { SimulatedIncarnation, type Surroundings } from './simulated-incarnation.js';
import type { Variant } from './variant.js';

/** The simulation has no recovery from replicas. */
const NONE_UNMATCHED = { ids: [], replace: () => Promise.resolve() };

const DEADLINES = { prepareDeadlineMs: 1_000, answerDeadlineMs: 2_000, inDoubtAfterMs: 2_500 };

export interface AppWorld extends Surroundings {
  readonly cluster: DocumentCluster;
  readonly database: SimulatedDatabase;
  /** Absent in a world without it. */
  readonly ledger: SimulatedLedger | undefined;
  readonly audit: Audit;
  readonly variant: Variant;
  readonly room: JournalRoom;
  newId(): TransactionId;
  appServes(report: RecoveryReport): void;
  appEnded(app: SimulatedApp, how: Crash, why: string): void;
  /** The app found that one of its stores is an older copy. */
  appRefused(app: SimulatedApp): void;
}

interface Participants {
  readonly documents: Participant<DocumentWork>;
  readonly ledger: Participant<undefined> | undefined;
}

/** One incarnation of the app: start with recovery, service, end at any moment. The real code makes all decisions. */
export class SimulatedApp {
  readonly incarnation: SimulatedIncarnation;
  readonly primary: SimulatedPrimary;
  readonly connection: DatabaseConnection;
  store: DocumentStore | undefined;
  coordinator: TransactionCoordinator<SqlWork> | undefined;
  isServing = false;
  history: SimulatedHistory | undefined;
  private participants: Participants | undefined;

  constructor(private readonly world: AppWorld) {
    const { cluster, database, variant } = world;
    this.incarnation = new SimulatedIncarnation(world);
    this.connection = new DatabaseConnection(
      database,
      this.incarnation,
      (acknowledgements) => !variant.keepsRows || this.mayForget(acknowledgements),
      () => {
        world.appEnded(this, 'kill', 'the outcome of a commit is unknown');
      },
    );
    this.primary = cluster.startPrimary();
  }

  end(how: Crash): void {
    this.isServing = false;
    this.incarnation.end();
    this.primary.stop(how);
    this.world.database.crash();
  }

  /** More records of the documents are durable. */
  documentsDurable(): void {
    if (this.history) this.history.catchUp();
    // The first record of the epoch: the primary is about to open.
    else this.incarnation.after(0, () => void this.begin());
  }

  /** Defined only while the app serves. */
  branches(work: DocumentWork, withLedger: boolean): readonly Branch[] {
    const { documents, ledger } = this.participants!;
    return [branch(documents, work), ...(withLedger && ledger ? [branch(ledger, undefined)] : [])];
  }

  /** Takes a snapshot of the primary's documents. */
  snapshot(): void {
    if (this.history) this.world.cluster.takeSnapshot(this.history.machine);
  }

  private async begin(): Promise<void> {
    const { world } = this;
    try {
      const report = await this.start();
      this.isServing = true;
      world.appServes(report);
    } catch (error) {
      if (isAppError(error, 'recovery-needed')) world.appRefused(this);
      else if (isAppError(error)) world.appEnded(this, 'kill', error.code);
      else world.audit.violate(`an app does not start: ${String(error)}`);
    }
  }

  private async start(): Promise<RecoveryReport> {
    const { connection, incarnation, primary, world } = this;
    const { cluster, variant, audit } = world;
    const openHistory = async (
      eventsOf: ConstructorParameters<typeof SimulatedHistory>[1],
    ): Promise<SimulatedHistory> => {
      const room = (): JournalRoom => world.room;
      const applied = audit.documentApplied.bind(audit);
      const { usesReserve } = variant;
      this.history = new SimulatedHistory({ cluster, primary, incarnation, room, usesReserve, applied }, eventsOf);
      return this.history;
    };
    this.store = await DocumentStore.over(cluster, { collections: COLLECTIONS }, openHistory, NONE_UNMATCHED);
    const { epoch } = primary.core!.identity;
    await this.store.startEpoch({ epoch });
    const ledger = world.ledger && new LedgerParticipant(world.ledger, cluster.network, incarnation);
    this.participants = {
      documents: this.audited(
        variant.documents(new DocumentParticipant(this.store, new SimulatedConfirmer(primary, incarnation), DEADLINES)),
      ),
      ledger,
    };
    const { timers, clock, log, crashSites } = incarnation;
    const participants = [this.participants.documents, ...(ledger ? [ledger] : [])];
    const lastResource = variant.lastResource(connection);
    const newId = world.newId.bind(world);
    this.coordinator = new TransactionCoordinator<SqlWork>(
      { participants, lastResource, timers, clock, log, crashSites, newId },
      DEADLINES,
    );
    const report = await this.coordinator.recoverAtStart();
    this.coordinator.keepRecovering();
    return report;
  }

  /** A promise must be kept as long as the journal has its reserve. */
  private audited(documents: Participant<DocumentWork>): Participant<DocumentWork> {
    const commit = documents.commit.bind(documents);
    return Object.assign(Object.create(documents) as Participant<DocumentWork>, {
      commit: async (id: TransactionId): Promise<Acknowledgement> => {
        try {
          return await commit(id);
        } catch (error) {
          if (this.world.room !== 'none') this.world.audit.violate(`P2: ${id} cannot be committed: ${String(error)}`);
          throw error;
        }
      },
    });
  }

  private mayForget({ documents }: Readonly<Record<string, Acknowledgement>>): boolean {
    return documents?.position !== undefined && this.store?.hasForgotten(documents.position) === true;
  }
}
