import { type DynamicModule, Global, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { BooksModule } from '../../modules/books/index.js';
import { Books2pcModule } from '../../modules/books-2pc/index.js';
import { CustomersModule } from '../../modules/customers/index.js';
import { IdsModule } from '../../modules/ids/index.js';
import { OperationsModule } from '../../modules/operations/index.js';
import { TransactionsModule } from '../../modules/transactions/index.js';
import { UsersModule } from '../../modules/users/index.js';
import { GenerationCache } from '../../platform/cache/index.js';
import { DataFiles } from '../../platform/data-files/index.js';
import { DocumentStore } from '../../platform/documents/index.js';
import { HttpObserver } from '../../platform/observability/index.js';
import {
  SqlDatabase,
  SqlOperationLedger,
  SqlTransactionTable,
  TransactionOperationLedger,
} from '../../platform/sql/index.js';
import { ReplicationPrimary } from '../../protocols/replication/index.js';
import { DocumentParticipant, TransactionCoordinator } from '../../protocols/two-phase-commit/index.js';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';
import { ReadinessGate } from './readiness-gate.js';
import { ReplicationController } from './replication.controller.js';
import { RootController } from './root.controller.js';
import type { Stores } from './stores.js';
import type { Transactions } from './transact.js';

/** The opened stores and what works on them, as what the modules ask for. */
@Global()
@Module({})
class StoresModule {
  static of({ sql, documents, sqlOperations, cache }: Stores, { replication, transactions }: AppParts): DynamicModule {
    const providers = [
      { provide: SqlDatabase, useValue: sql },
      { provide: DocumentStore, useValue: documents },
      { provide: SqlOperationLedger, useValue: sqlOperations },
      { provide: GenerationCache, useValue: cache },
      { provide: ReplicationPrimary, useValue: replication },
      { provide: TransactionCoordinator, useValue: transactions.coordinator },
      { provide: DocumentParticipant, useValue: transactions.documents },
      { provide: SqlTransactionTable, useValue: transactions.table },
      { provide: TransactionOperationLedger, useValue: transactions.operations },
    ];
    return { module: StoresModule, providers, exports: providers.map(({ provide }) => provide) };
  }
}

interface AppParts {
  readonly replication: ReplicationPrimary;
  readonly transactions: Transactions;
  readonly observer: HttpObserver;
  readonly gate: ReadinessGate;
  readonly files: DataFiles;
}

@Module({})
export class ApiModule {
  static of(stores: Stores, parts: AppParts): DynamicModule {
    const { coordinator, documents, table } = parts.transactions;
    return {
      module: ApiModule,
      imports: [
        StoresModule.of(stores, parts),
        typeOrmSource('write', stores.sql.writeSource),
        typeOrmSource('read', stores.sql.readSource),
        TerminusModule.forRoot({ logger: false }),
        BooksModule,
        CustomersModule,
        TransactionsModule.of({ coordinator, participants: [documents], rows: table }),
        Books2pcModule,
        UsersModule,
        IdsModule,
        OperationsModule,
      ],
      controllers: [RootController, HealthController, MetricsController, ReplicationController],
      providers: [
        { provide: HttpObserver, useValue: parts.observer },
        { provide: ReadinessGate, useValue: parts.gate },
        { provide: DataFiles, useValue: parts.files },
      ],
    };
  }
}

/**
 * Lends a DataSource that is open already to @nestjs/typeorm. It would close it as soon as nobody is served any more,
 * and transactions under way go on for longer; who has opened it closes it.
 */
function typeOrmSource(name: string, source: DataSource): DynamicModule {
  const lent = Object.create(source, { destroy: { value: () => Promise.resolve() } }) as DataSource;
  return TypeOrmModule.forRootAsync({
    name,
    useFactory: () => source.options,
    dataSourceFactory: () => Promise.resolve(lent),
  });
}
