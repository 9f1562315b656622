import { type DynamicModule, Global, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { Books2pcModule } from '../../modules/books-2pc/index.js';
import { CheckoutSagas, SagaService } from '../../modules/orders/index.js';
import { IdsModule } from '../../modules/ids/index.js';
import { type OperationService, OperationsModule } from '../../modules/operations/index.js';
import { PASSWORD_MIN } from '../../modules/registration/index.js';
import { TransactionsModule } from '../../modules/transactions/index.js';
import { GenerationCache } from '../../platform/cache/index.js';
import { DataFiles } from '../../platform/data-files/index.js';
import { DocumentStore } from '../../platform/documents/index.js';
import type { Answer } from '../../platform/http/index.js';
import { HttpObserver } from '../../platform/observability/index.js';
import { SqlDatabase, SqlOperationLedger, SqlTransactionTable } from '../../platform/sql/index.js';
import { PasswordHasher } from '../../platform/passwords/index.js';
import { TokenKeys } from '../../platform/tokens/index.js';
import { ReplicationPrimary } from '../../protocols/replication/index.js';
import { DocumentParticipant, TransactionCoordinator } from '../../protocols/two-phase-commit/index.js';
import { AppCache } from './app-cache.js';
import type { Checkouts } from './check-out.js';
import { EchoController } from './echo.controller.js';
import { HealthController, SQL_FILES } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';
import { ReadinessGate } from './readiness-gate.js';
import { ReplicationController } from './replication.controller.js';
import { RootController } from './root.controller.js';
import type { Passwords } from './passwords.js';
import type { OpenedStores } from './open.js';
import type { Transactions } from './transact.js';

@Global()
@Module({})
class StoresModule {
  static of(
    { bookstore, sqlFiles, documents }: OpenedStores,
    { replication, transactions, checkouts, cache, passwords }: AppParts,
  ): DynamicModule {
    const { database } = bookstore;
    const providers = [
      { provide: SqlDatabase, useValue: database },
      { provide: DocumentStore, useValue: documents },
      { provide: SqlOperationLedger, useValue: bookstore.operations },
      { provide: GenerationCache, useValue: cache.reads },
      { provide: AppCache, useValue: cache },
      { provide: ReplicationPrimary, useValue: replication },
      { provide: TransactionCoordinator, useValue: transactions.coordinator },
      { provide: DocumentParticipant, useValue: transactions.documents },
      { provide: SqlTransactionTable, useValue: transactions.table },
      { provide: CheckoutSagas, useValue: checkouts.sagas },
      { provide: SagaService, useValue: checkouts.service },
      { provide: PasswordHasher, useValue: passwords.hasher },
      { provide: TokenKeys, useValue: passwords.tokens },
      { provide: PASSWORD_MIN, useValue: passwords.passwordMin },
      { provide: SQL_FILES, useValue: sqlFiles },
    ];
    return { module: StoresModule, providers, exports: providers.map(({ provide }) => provide) };
  }
}

interface AppParts {
  readonly replication: ReplicationPrimary;
  readonly transactions: Transactions;
  readonly checkouts: Checkouts;
  readonly operations: OperationService<Answer>;
  readonly observer: HttpObserver;
  readonly gate: ReadinessGate;
  readonly files: DataFiles;
  readonly cache: AppCache;
  readonly passwords: Passwords;
}

@Module({})
export class ApiModule {
  static of(stores: OpenedStores, parts: AppParts): DynamicModule {
    const { coordinator, participants, table } = parts.transactions;
    return {
      module: ApiModule,
      imports: [
        StoresModule.of(stores, parts),
        TerminusModule.forRoot({ logger: false }),
        ...stores.sqlFiles.flatMap(({ served }) => served.map(({ module }) => module)),
        ...stores.registrations.flatMap((store) => (store.kind === 'documents' ? store.module : [])),
        TransactionsModule.of({ coordinator, participants, rows: table }),
        Books2pcModule,
        IdsModule,
        OperationsModule.of(parts.operations),
      ],
      controllers: [RootController, HealthController, EchoController, MetricsController, ReplicationController],
      providers: [
        { provide: HttpObserver, useValue: parts.observer },
        { provide: ReadinessGate, useValue: parts.gate },
        { provide: DataFiles, useValue: parts.files },
      ],
    };
  }
}
