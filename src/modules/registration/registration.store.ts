import type { SqlStore } from '../store-registration/index.js';
import { REGISTRATION_QUERIES } from './adapters/http/registered-users.controller.js';
import { CreateRegisteredUsers1764800000020, SEALED_REGISTERED_USERS } from './create-registered-users.migration.js';
import { REGISTRATION } from './registration-file.js';
import { RegistrationModule } from './registration.module.js';

export const REGISTRATION_STORE: SqlStore = {
  kind: 'sql',
  name: 'registration',
  file: REGISTRATION,
  entities: [],
  migrations: [CreateRegisteredUsers1764800000020],
  sealed: [SEALED_REGISTERED_USERS],
  queryNames: REGISTRATION_QUERIES,
  crashSites: [],
  seed: undefined,
  passOverIds: undefined,
  recover: undefined,
  serve: (file) => ({ module: RegistrationModule.of(file), participant: undefined }),
};
