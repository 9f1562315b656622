import { BOOKSTORE } from '../../platform/sql/index.js';
import type { DocumentStoreRegistration, SqlStore } from '../store-registration/index.js';
import { documentUserAnswer } from './adapters/http/user-answers.js';
import { CountUserIds1764500000002 } from './count-user-ids.migration.js';
import { CreateUsers1763700000004 } from './create-users.migration.js';
import { SealUsers1764500000012, SEALED_USERS } from './seal-users.migration.js';
import { USERS } from './user-collection.js';
import { UserEntity } from './user.entity.js';
import { UserRepository } from './user.repository.js';
import { UsersModule } from './users.module.js';

export const SQL_USERS_STORE: SqlStore = {
  kind: 'sql',
  name: 'SQL users',
  file: BOOKSTORE,
  entities: [UserEntity],
  migrations: [CreateUsers1763700000004, CountUserIds1764500000002, SealUsers1764500000012],
  sealed: [SEALED_USERS],
  queryNames: {},
  crashSites: [],
  seed: undefined,
  passOverIds: (services, id) => {
    services.get(UserRepository).passOver(id);
  },
  recover: undefined,
  serve: () => ({ module: UsersModule, participant: undefined }),
};

export const DOCUMENT_USERS_STORE: DocumentStoreRegistration = {
  kind: 'documents',
  name: 'document users',
  collection: USERS,
  module: UsersModule,
  queryNames: { '/nosql/users/:id': ['min_seq'] },
  crashSites: [],
  seed: undefined,
  answerOf: documentUserAnswer,
};
