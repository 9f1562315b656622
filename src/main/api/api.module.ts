import { type DynamicModule, Global, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { BooksModule } from '../../modules/books/index.js';
import { CustomersModule } from '../../modules/customers/index.js';
import { OperationsModule } from '../../modules/operations/index.js';
import { GenerationCache } from '../../platform/cache/index.js';
import { DocumentStore } from '../../platform/documents/index.js';
import { HttpObserver } from '../../platform/observability/index.js';
import { SqlDatabase, SqlOperationLedger } from '../../platform/sql/index.js';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';
import { RootController } from './root.controller.js';
import type { Stores } from './stores.js';

/** The opened stores, as what the modules ask for. */
@Global()
@Module({})
class StoresModule {
  static of({ sql, documents, sqlOperations, cache }: Stores): DynamicModule {
    const providers = [
      { provide: SqlDatabase, useValue: sql },
      { provide: DocumentStore, useValue: documents },
      { provide: SqlOperationLedger, useValue: sqlOperations },
      { provide: GenerationCache, useValue: cache },
    ];
    return { module: StoresModule, providers, exports: providers.map(({ provide }) => provide) };
  }
}

@Module({})
export class ApiModule {
  static of(stores: Stores, observer: HttpObserver): DynamicModule {
    return {
      module: ApiModule,
      imports: [
        StoresModule.of(stores),
        typeOrmSource('write', stores.sql.writeSource),
        typeOrmSource('read', stores.sql.readSource),
        TerminusModule.forRoot({ logger: false }),
        BooksModule,
        CustomersModule,
        OperationsModule,
      ],
      controllers: [RootController, HealthController, MetricsController],
      providers: [{ provide: HttpObserver, useValue: observer }],
    };
  }
}

/** Hands a DataSource that is open already to @nestjs/typeorm. */
function typeOrmSource(name: string, source: DataSource): DynamicModule {
  return TypeOrmModule.forRootAsync({
    name,
    useFactory: () => source.options,
    dataSourceFactory: () => Promise.resolve(source),
  });
}
