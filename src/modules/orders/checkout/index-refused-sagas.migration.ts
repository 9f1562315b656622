import { sqlMigration } from '../../../platform/sql/index.js';

/** Few of a million checkouts are refused, and a list of those must not look at all of them. Completed ones need no index. */
export const IndexRefusedSagas1764900000002 = sqlMigration('IndexRefusedSagas1764900000002', {
  up: [
    "CREATE INDEX sagas_refused ON sagas (id) WHERE state = 'refused'",
    "CREATE INDEX sagas_superseded ON sagas (id) WHERE state = 'superseded'",
  ],
  down: ['DROP INDEX sagas_superseded', 'DROP INDEX sagas_refused'],
});
